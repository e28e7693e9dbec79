package coding_test

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/warthog618/sms/encoding/gsm7"
	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"pukar/smpp/coding"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		dc     byte
		udhi   bool
		octets string
		want   string
		concat coding.Concat
		err    error
	}{
		{"GSM 7-bit", 0, false, "53544f5000", "STOP@", coding.Concat{}, nil},
		{"GSM 7-bit, extension", 0, false, "1b3c1b65", "[€", coding.Concat{}, nil},
		{"GSM 7-bit, unknown extension", 0, false, "1b41", "A", coding.Concat{}, nil},
		{"GSM 7-bit, escape twice", 0, false, "1b1b41", " A", coding.Concat{}, nil},
		{"GSM 7-bit, escape last", 0, false, "411b", "A ", coding.Concat{}, nil},
		{"GSM 7-bit, message class", 0xF1, false, "4100", "A@", coding.Concat{}, nil},
		{"empty", 0, false, "", "", coding.Concat{}, nil},
		{"data_coding 0 that is UTF-8", 0, false, "e0a4ace0a482e0a4a6", "बंद", coding.Concat{}, nil},
		{"data_coding 0 that is Latin-1", 0, false, "4ee9", "Né", coding.Concat{}, nil},
		{"ASCII", 1, false, "24405f", "$@_", coding.Concat{}, nil},
		{"Latin-1", 3, false, "e9a3", "é£", coding.Concat{}, nil},
		{"UCS-2", 8, false, "092c09020926", "बंद", coding.Concat{}, nil},
		{"UCS-2, flash", 0x18, false, "092c", "ब", coding.Concat{}, nil},
		{"UCS-2, surrogates", 8, false, "d83dde00", "😀", coding.Concat{}, nil},
		{"UCS-2, half a pair", 8, false, "d83d0041de00", "\uFFFDA\uFFFD", coding.Concat{}, nil},
		{"UCS-2, byte order mark", 8, false, "feff0041", "A", coding.Concat{}, nil},
		{"UCS-2, little endian mark", 8, false, "fffe41003dd800de", "A😀", coding.Concat{}, nil},
		{"UCS-2, odd", 8, false, "004142", "A", coding.Concat{}, coding.ErrText},
		{"binary", 4, false, "00", "", coding.Concat{}, coding.ErrDataCoding},
		{"8-bit reference", 0, true, "0500030702014142", "AB", coding.Concat{Reference: 7, Total: 2, Sequence: 1}, nil},
		{"16-bit reference", 8, true, "060804010203030041", "A", coding.Concat{Reference: 0x102, Total: 3, Sequence: 3}, nil},
		{"wrong header length", 0, true, "0a0504158a0000000307020242", "B", coding.Concat{}, coding.ErrHeader},
		{"port element before", 0, true, "0b0504158a0000000307020242", "B", coding.Concat{Reference: 7, Total: 2, Sequence: 2}, nil},
		{"sequence beyond total", 0, true, "05000307020342", "B", coding.Concat{}, nil},
		{"header longer than message", 0, true, "ff0003", "", coding.Concat{}, coding.ErrHeader},
		{"header missing", 0, true, "", "", coding.Concat{}, coding.ErrHeader},
		{"element cut short", 0, true, "020003", "", coding.Concat{}, coding.ErrHeader},
		{"Hindi, both shifts", 0, true, "06250106240106" + "40012b2015445d2073746f70201b531b541b4f1b50", "बंद करो stop STOP", coding.Concat{}, nil},
		{"Hindi, locking shift alone", 0, true, "03250106" + "40012b1b3c1b65", "बंद[€", coding.Concat{}, nil},
		{"Hindi, single shift alone", 0, true, "03240106" + "53541b1c", "ST०", coding.Concat{}, nil},
		{"Hindi, concatenated", 0, true, "08000309020125010601", "\u0902", coding.Concat{Reference: 9, Total: 2, Sequence: 1}, nil},
		{"Turkish is not known", 0, true, "0325010153544f50", "STOP", coding.Concat{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			octets, err := hex.DecodeString(tt.octets)
			if err != nil {
				t.Fatal(err)
			}
			text, concat, err := coding.Decode(tt.dc, tt.udhi, octets)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if tt.err == nil && text != tt.want || concat != tt.concat {
				t.Errorf("Decode() = %+q, %+v, want %+q, %+v", text, concat, tt.want, tt.concat)
			}
			if errors.Is(tt.err, coding.ErrText) && text != tt.want {
				t.Errorf("text before the error %+q, want %+q", text, tt.want)
			}
		})
	}
}

func TestDecodeOracles(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		septets := rapid.SliceOf(rapid.ByteRange(0, 0x7F)).Draw(t, "septets")
		want, err := oracleDecode(septets)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := coding.Decode(0, false, septets); err != nil || got != string(want) {
			t.Fatalf("GSM 7-bit %+q (%v), oracle %+q", got, err, want)
		}
		octets := rapid.SliceOf(rapid.Byte()).Draw(t, "octets")
		latin, err := charmap.ISO8859_1.NewDecoder().Bytes(octets)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := coding.Decode(3, false, octets); err != nil || got != string(latin) {
			t.Fatalf("Latin-1 %+q (%v), oracle %+q", got, err, latin)
		}
	})
}

// The oracle's Hindi locking table begins with three Bengali signs, which no handset would show in Hindi.
func TestDecodeNationalTablesAgainstOracle(t *testing.T) {
	t.Parallel()
	for id := byte(4); id <= 13; id++ {
		for code := range byte(128) {
			if code == 0x1B || id == 6 && code < 3 {
				continue
			}
			for _, septets := range [][]byte{{code}, {0x1B, code}} {
				want, err := gsm7.Decode(septets, gsm7.WithCharset(int(id)), gsm7.WithExtCharset(int(id)))
				if err != nil {
					t.Fatal(err)
				}
				payload := append([]byte{6, 0x25, 1, id, 0x24, 1, id}, septets...)
				got, _, err := coding.Decode(0, true, payload)
				if err != nil || got != string(want) {
					t.Errorf("language %d, septets %x: %+q (%v), oracle %+q", id, septets, got, err, want)
				}
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(byte(0), false, []byte("STOP\x1be"))
	f.Add(byte(8), true, []byte{6, 8, 4, 1, 2, 2, 1, 0x09, 0x2c})
	f.Add(byte(8), false, []byte{0xFF, 0xFE, 0x41})
	f.Add(byte(0), true, []byte{6, 0x25, 1, 6, 0x24, 1, 6, 0x40, 1, 0x2B, 0x1B, 0x53})
	f.Add(byte(0), true, []byte{11, 5, 4, 0x15, 0x8a, 0, 0, 0, 3, 7, 2, 2, 'B'})
	f.Fuzz(func(t *testing.T, dc byte, udhi bool, payload []byte) {
		before := string(payload)
		text, concat, err := coding.Decode(dc, udhi, payload)
		if string(payload) != before {
			t.Fatal("Decode changed its input")
		}
		if len(text) > 3*len(payload) {
			t.Fatalf("%d octets of text from %d", len(text), len(payload))
		}
		if err == nil && concat.Sequence > concat.Total {
			t.Fatalf("part %d of %d", concat.Sequence, concat.Total)
		}
	})
}
