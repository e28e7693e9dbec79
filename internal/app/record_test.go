package app

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"pukar/smpp/pdu"
)

// record is what somebody writes down, readable meanwhile.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// submit is a line of the centre's record.
type submit struct {
	at         time.Time
	systemID   string
	number     string
	source     string
	esmClass   byte
	dataCoding byte
	payload    []byte // short_message
	tlvs       map[uint16]string
	id         string // given by the centre, "" when it refused
	status     pdu.Status
	validity   string // validity_period as it came
}

// submits reads the centre's record, in the order of arrival.
func (b *bench) submits() []submit {
	b.t.Helper()
	if err := b.centre.Flush(); err != nil {
		b.t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(b.record.String())).ReadAll()
	if err != nil {
		b.t.Fatal(err)
	}
	list := make([]submit, 0, len(lines))
	for _, line := range lines[1:] {
		s, err := readSubmit(line)
		if err != nil {
			b.t.Fatalf("line %q of the centre's record: %v", line, err)
		}
		list = append(list, s)
	}
	return list
}

// readSubmit reads at, seq, system_id, source, destination, esm_class, data_coding, short_message, tlvs, message_id,
// status, fate, validity_period.
func readSubmit(line []string) (s submit, err error) {
	if s.at, err = time.Parse(time.RFC3339, line[0]); err != nil {
		return s, err
	}
	s.systemID, s.source, s.number, s.id = line[2], line[3], line[4], line[9]
	s.validity = line[12]
	for _, octet := range []struct {
		text string
		to   *byte
	}{{line[5], &s.esmClass}, {line[6], &s.dataCoding}} {
		n, err := strconv.ParseUint(octet.text, 0, 8)
		if err != nil {
			return s, err
		}
		*octet.to = byte(n)
	}
	if s.payload, err = hex.DecodeString(line[7]); err != nil {
		return s, err
	}
	tlvs, err := hex.DecodeString(line[8])
	if err != nil {
		return s, err
	}
	s.tlvs = make(map[uint16]string)
	for len(tlvs) > 0 {
		if len(tlvs) < 4 || len(tlvs) < 4+int(binary.BigEndian.Uint16(tlvs[2:])) {
			return s, fmt.Errorf("optional parameters are cut short")
		}
		n := 4 + int(binary.BigEndian.Uint16(tlvs[2:]))
		s.tlvs[binary.BigEndian.Uint16(tlvs)], tlvs = string(tlvs[4:n]), tlvs[n:]
	}
	status, err := strconv.ParseUint(line[10], 0, 32)
	s.status = pdu.Status(status)
	return s, err
}

// accepted is what the centre accepted, by number.
func (b *bench) accepted() map[string][]submit {
	b.t.Helper()
	byNumber := make(map[string][]submit)
	for _, s := range b.submits() {
		if s.status == pdu.StatusOK {
			byNumber[s.number] = append(byNumber[s.number], s)
		}
	}
	return byNumber
}

// numberOf is the number of person i of people, as it goes over the wire.
func numberOf(i int) string { return strconv.Itoa(firstNumber + i) }
