package pdu

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	// HeaderLength is the length of the header of every unit, in octets (SMPP 3.4, section 3.2).
	HeaderLength = 16
	// MaxLength is the longest unit that is read or written, in octets. SMPP sets no limit; the longest sensible unit is a
	// submit_sm with a message_payload of 64 KiB less what surrounds it.
	MaxLength = 64 << 10
	// MaxSequence is the highest sequence number that SMPP 3.4 allows (section 5.1.4); the lowest is 1.
	MaxSequence uint32 = 0x7FFFFFFF
)

// Header starts every unit.
type Header struct {
	Length   uint32 // of the whole unit, header included
	ID       ID
	Status   Status // zero in requests
	Sequence uint32
}

// DecodeHeader reads a header from the first 16 octets of b. With ErrLength the other fields of the header are set, so that the
// peer can be sent a generic_nack for them; with fewer than 16 octets it returns a *FormatError.
func DecodeHeader(b []byte) (Header, error) {
	if len(b) < HeaderLength {
		return Header{}, &FormatError{Field: "header"}
	}
	h := Header{
		Length:   binary.BigEndian.Uint32(b[0:4]),
		ID:       ID(binary.BigEndian.Uint32(b[4:8])),
		Status:   Status(binary.BigEndian.Uint32(b[8:12])),
		Sequence: binary.BigEndian.Uint32(b[12:16]),
	}
	if h.Length < HeaderLength || h.Length > MaxLength {
		return h, fmt.Errorf("%s with length %d: %w", commandName(h.ID), h.Length, ErrLength)
	}
	return h, nil
}

// ReadPDU reads one unit. The body, without the header, lies in buf, which is grown where it is too small and returned
// for the next call; the body is valid until buf is used again. Before a byte is allocated the length is checked against
// MaxLength. The error is io.EOF where the stream ends between two units and io.ErrUnexpectedEOF where it ends
// within one; with ErrLength the header is returned as far as it can be trusted.
func ReadPDU(r *bufio.Reader, buf []byte) (Header, []byte, []byte, error) {
	head, err := r.Peek(HeaderLength)
	if err != nil {
		if len(head) > 0 && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return Header{}, nil, buf, err
	}
	h, err := DecodeHeader(head)
	if err != nil {
		return h, nil, buf, err
	}
	if _, err := r.Discard(HeaderLength); err != nil {
		return h, nil, buf, err
	}
	n := int(h.Length) - HeaderLength
	if cap(buf) < n {
		buf = make([]byte, max(n, 512))
	}
	body := buf[:n]
	if _, err := io.ReadFull(r, body); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return h, nil, buf, err
	}
	return h, body, buf, nil
}

// AppendHeaderOnly appends a unit that has no body: enquire_link, unbind, their responses, generic_nack, and the response of
// any request that is refused (SMPP 3.4 leaves the body of a refusal out).
func AppendHeaderOnly(dst []byte, id ID, status Status, sequence uint32) []byte {
	return appendHeader(dst, HeaderLength, id, status, sequence)
}

func appendHeader(dst []byte, length int, id ID, status Status, sequence uint32) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(length))
	dst = binary.BigEndian.AppendUint32(dst, uint32(id))
	dst = binary.BigEndian.AppendUint32(dst, uint32(status))
	return binary.BigEndian.AppendUint32(dst, sequence)
}
