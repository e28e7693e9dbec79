package smsc

import (
	"bufio"
	"encoding/hex"
	"io"
	"strconv"
	"strings"
	"time"

	"pukar/smpp/pdu"
)

// journalHeader names the columns of Options.Record. Octets are in hexadecimal, tlvs as on the wire (tag, length, value);
// status is the command_status answered, in hexadecimal; fate is what the receipt will say, empty where there is none;
// validity_period is as it came.
const journalHeader = "at,seq,system_id,source,destination,esm_class,data_coding,short_message,tlvs,message_id,status,fate,validity_period\n"

// journal writes a CSV line per submit. It is used under Centre.mu.
type journal struct {
	w    *bufio.Writer
	line []byte
	seq  uint64
	err  error // the first one; nothing is written after it
}

func newJournal(w io.Writer) *journal {
	j := &journal{w: bufio.NewWriterSize(w, 256<<10)}
	_, j.err = j.w.WriteString(journalHeader)
	return j
}

func (j *journal) write(now time.Time, systemID string, m *pdu.SubmitSM, id []byte, status pdu.Status, fate string) {
	if j.err != nil {
		return
	}
	j.seq++
	b := now.In(ist).AppendFormat(j.line[:0], "2006-01-02T15:04:05.000Z07:00")
	b = append(b, ',')
	b = strconv.AppendUint(b, j.seq, 10)
	for _, s := range [...]string{systemID, m.Source, m.Destination} {
		b = appendCSV(append(b, ','), s)
	}
	b = strconv.AppendUint(append(b, ','), uint64(m.ESMClass), 10)
	b = strconv.AppendUint(append(b, ','), uint64(m.DataCoding), 10)
	b = hex.AppendEncode(append(b, ','), m.ShortMessage)
	b = append(b, ',')
	for _, tlv := range m.TLVs {
		n := len(tlv.Value)
		b = hex.AppendEncode(b, []byte{byte(tlv.Tag >> 8), byte(tlv.Tag), byte(n >> 8), byte(n)})
		b = hex.AppendEncode(b, tlv.Value)
	}
	b = append(append(b, ','), id...)
	b = strconv.AppendUint(append(b, ",0x"...), uint64(status), 16)
	b = append(append(b, ','), fate...)
	b = appendCSV(append(b, ','), m.ValidityPeriod)
	j.line = append(b, '\n')
	_, j.err = j.w.Write(j.line)
}

// appendCSV quotes what the format would misread, which is all but certain never to happen.
func appendCSV(b []byte, s string) []byte {
	if !strings.ContainsAny(s, "\",\r\n") {
		return append(b, s...)
	}
	return append(append(append(b, '"'), strings.ReplaceAll(s, `"`, `""`)...), '"')
}

func (j *journal) flush() error {
	if j.err == nil {
		j.err = j.w.Flush()
	}
	return j.err
}
