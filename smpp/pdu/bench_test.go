package pdu

import (
	"bytes"
	"testing"
)

func BenchmarkSubmitSMAppend(b *testing.B) {
	m := submitSample()
	m.ShortMessage = bytes.Repeat([]byte{9, 0x28}, 67)
	buf := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = m.Append(buf[:0], 42)
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkSubmitSMDecode(b *testing.B) {
	m := submitSample()
	m.ShortMessage = bytes.Repeat([]byte{9, 0x28}, 67)
	first, _ := m.Append(nil, 42)
	m.Destination = "919812345679"
	second, _ := m.Append(nil, 42)
	bodies := [2][]byte{first[HeaderLength:], second[HeaderLength:]}
	var got SubmitSM
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		if err := got.Decode(bodies[i&1]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkSubmitSMRespDecode(b *testing.B) {
	body := []byte("1234567890123456\x00")
	var got SubmitSMResp
	b.ReportAllocs()
	for b.Loop() {
		body[0] ^= 1
		if err := got.Decode(body); err != nil {
			b.Fatal(err)
		}
	}
}
