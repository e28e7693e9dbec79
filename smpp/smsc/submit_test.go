package smsc

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"pukar/smpp/pdu"
)

func TestSubmitAnswers(t *testing.T) {
	t.Parallel()
	entity, template := pdu.TLV{Tag: pdu.TagDLTEntity, Value: []byte("1101172974420810001")}, pdu.TLV{Tag: pdu.TagDLTTemplate, Value: []byte("1107172974420810001")}
	tests := []struct {
		name   string
		opts   Options
		change func(m *pdu.SubmitSM)
		want   pdu.Status
	}{
		{"plain", Options{}, func(*pdu.SubmitSM) {}, pdu.StatusOK},
		{"with a plus", Options{}, func(m *pdu.SubmitSM) { m.Destination = "+919812345678" }, pdu.StatusOK},
		{"no destination", Options{}, func(m *pdu.SubmitSM) { m.Destination = "" }, pdu.StatusInvalidDestination},
		{"letters", Options{}, func(m *pdu.SubmitSM) { m.Destination = "9198x" }, pdu.StatusInvalidDestination},
		{"bad validity", Options{}, func(m *pdu.SubmitSM) { m.ValidityPeriod = "tomorrow" }, pdu.StatusInvalidValidity},
		{"bad schedule", Options{}, func(m *pdu.SubmitSM) { m.ScheduleTime = "000000000000000X" }, pdu.StatusInvalidSchedule},
		{"refused", Options{RefuseRatio: 1}, func(*pdu.SubmitSM) {}, pdu.StatusInvalidDestination},
		{"refused otherwise", Options{RefuseRatio: 1, RefuseStatus: 0x400}, func(*pdu.SubmitSM) {}, 0x400},
		{"throttled", Options{ThrottleRatio: 1}, func(*pdu.SubmitSM) {}, pdu.StatusThrottled},
		{"DLT", Options{RequireDLT: true}, func(m *pdu.SubmitSM) { m.TLVs = []pdu.TLV{entity, template} }, pdu.StatusOK},
		{"no DLT", Options{RequireDLT: true}, func(*pdu.SubmitSM) {}, pdu.StatusMissingOptional},
		{"no template", Options{RequireDLT: true, DLTStatus: 0x45}, func(m *pdu.SubmitSM) { m.TLVs = []pdu.TLV{entity} }, 0x45},
		{"empty template", Options{RequireDLT: true}, func(m *pdu.SubmitSM) { m.TLVs = []pdu.TLV{entity, {Tag: pdu.TagDLTTemplate}} }, pdu.StatusMissingOptional},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, pipe := open(t, tt.opts)
				defer c.Close()
				client := bound(t, pipe, "foo")
				defer client.close()
				m := message("919812345678", "hello")
				tt.change(&m)
				sequence := client.submit(m)
				u := client.expect(pdu.SubmitSMRespID)
				if u.Status != tt.want || u.Sequence != sequence {
					t.Errorf("answered %s to %d, want %s to %d", pdu.StatusName(u.Status), u.Sequence, pdu.StatusName(tt.want), sequence)
				}
				s := c.Stats()
				if s.Submits != 1 || s.Accepted+s.Refused+s.Throttled != 1 || s.Statuses[pdu.StatusName(tt.want)] != 1 {
					t.Errorf("stats %+v", s)
				}
			})
		})
	}
}

func TestSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{SilentRatio: 1, EnquireInterval: -1})
		defer c.Close()
		client := bound(t, pipe, "foo")
		defer client.close()
		client.submit(message("919812345678", "hello"))
		u, _ := client.deliver()
		client.ack(u, pdu.StatusOK)
		client.quiet(10 * time.Minute)
		if s := c.Stats(); s.Silent != 1 || s.Accepted != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestDropsTheLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		opts     Options
		answers  []int // on each connection of ten submits
		accepted int64
	}{
		{"before the response", Options{DropBeforeResponse: 4}, []int{3, 10}, 14},
		{"after the response", Options{DropAfterResponse: 4}, []int{4, 10}, 14},
		{"again and again", Options{DropAfterResponse: 4, DropRepeat: true}, []int{4, 4, 4}, 12},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, pipe := open(t, tt.opts)
				defer c.Close()
				for _, want := range tt.answers {
					client := bound(t, pipe, "foo")
					var all []byte
					for i := range 10 {
						m := message("919812345678", fmt.Sprint("part ", i))
						m.RegisteredDelivery = 0
						all, _ = m.Append(all, uint32(i+10))
					}
					// The line may be cut while this is written.
					_, _ = client.conn.Write(all)
					synctest.Wait()
					client.conn.Close()
					got := 0
					for range client.units {
						got++
					}
					if got != want {
						t.Errorf("%d answers, want %d", got, want)
					}
				}
				if s := c.Stats(); s.Accepted != tt.accepted {
					t.Errorf("accepted %d, want %d", s.Accepted, tt.accepted)
				}
			})
		})
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{Window: 5, ResponseDelay: time.Second})
		defer c.Close()
		client := bound(t, pipe, "foo")
		defer client.close()
		for range 2 {
			for range 8 {
				m := message("919812345678", "hello")
				m.RegisteredDelivery = 0
				client.submit(m)
			}
			counts := map[pdu.Status]int{}
			for range 8 {
				counts[client.expect(pdu.SubmitSMRespID).Status]++
			}
			if counts[pdu.StatusOK] != 5 || counts[pdu.StatusThrottled] != 3 {
				t.Errorf("answers %v", counts)
			}
		}
	})
}

func TestThrottleAbove(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{ThrottleAbove: 100})
		defer c.Close()
		client := bound(t, pipe, "foo")
		defer client.close()
		submitAt := func(rate int) (accepted int) {
			for range 3 * rate {
				m := message("919812345678", "hello")
				m.RegisteredDelivery = 0
				client.submit(m)
				if client.expect(pdu.SubmitSMRespID).Status == pdu.StatusOK {
					accepted++
				}
				pause(time.Second / time.Duration(rate))
			}
			return accepted
		}
		if got := submitAt(100); got != 300 {
			t.Errorf("at the rate %d of 300 were accepted", got)
		}
		if got := submitAt(200); got < 300 || got > 312 {
			t.Errorf("at twice the rate %d were accepted in 3 s, want 300 and the grace", got)
		}
		if s := c.Stats(); s.HighestInSecond < 195 || s.HighestInSecond > 205 {
			t.Errorf("most parts in a second %d, want 200", s.HighestInSecond)
		}
	})
}

// pause lets time pass; in the tests' bubble it takes none.
func pause(d time.Duration) {
	<-time.After(d)
}

// TestFates has the same messages meet the same fate in two centres with the same seed, and another with another.
func TestFates(t *testing.T) {
	t.Parallel()
	deal := func(seed uint64) (fates string, s Stats) {
		c := New(Options{Seed: seed, FailRatio: 0.2, ExpireRatio: 0.1, DeliverRatio: 0.6}, discard)
		var all strings.Builder
		for i := range 20_000 {
			m := message(fmt.Sprint(919800000000+i), "hello")
			hash := hashBytes(hashBytes(k2, m.Destination), m.ShortMessage)
			d := c.fate(&m, hash^mix(seed), m.ShortMessage, 0, 0)
			all.WriteString(d.state.String())
		}
		return all.String(), c.stats
	}
	first, s := deal(1)
	if again, _ := deal(1); again != first {
		t.Error("the same seed dealt other fates")
	}
	if other, _ := deal(2); other == first {
		t.Error("another seed dealt the same fates")
	}
	for _, r := range []struct {
		name string
		n    int64
		want float64
	}{{"delivered", s.Delivered, 0.6}, {"failed", s.Failed, 0.2}, {"expired", s.Expired, 0.1}, {"lost", s.NoReceipt, 0.1}} {
		if got := float64(r.n) / 20_000; math.Abs(got-r.want) > 0.015 {
			t.Errorf("%s: %.3f, want %.3f", r.name, got, r.want)
		}
	}
}

func TestRecordAndDuplicates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var record bytes.Buffer
		c, pipe := open(t, Options{Record: &record, FirstID: 1000})
		client := bound(t, pipe, "foo")
		defer client.close()
		long := message("919812345678", "")
		long.ESMClass, long.DataCoding, long.RegisteredDelivery = pdu.ESMUserDataHeader, pdu.DataCodingUCS2, 0
		long.ValidityPeriod = "000000040000000R"
		long.TLVs = []pdu.TLV{{Tag: 0x1400, Value: []byte{0xAB}}}
		for part := byte(1); part <= 2; part++ {
			long.ShortMessage = []byte{6, 8, 4, 0, 7, 2, part, 9, 0x28}
			client.accepted(long)
		}
		client.accepted(long)
		other := long
		other.Destination = "919812345679"
		client.accepted(other)
		other.Destination, other.Source = "nobody", `HE"LP`
		client.submit(other)
		client.expect(pdu.SubmitSMRespID)
		if s := c.Stats(); s.Duplicates != 1 || s.Messages != 1 || s.Accepted != 4 || s.Bytes != 36 {
			t.Errorf("stats %+v", s)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&record).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		want := [][]string{
			strings.Split(strings.TrimSpace(journalHeader), ","),
			{"2000-01-01T05:30:00.000+05:30", "1", "foo", "HELPLN", "919812345678", "64", "8", "060804000702010928", "14000001ab", "1000", "0x0", "DELIVRD", "000000040000000R"},
			{"2000-01-01T05:30:00.000+05:30", "2", "foo", "HELPLN", "919812345678", "64", "8", "060804000702020928", "14000001ab", "1001", "0x0", "DELIVRD", "000000040000000R"},
			{"2000-01-01T05:30:00.000+05:30", "3", "foo", "HELPLN", "919812345678", "64", "8", "060804000702020928", "14000001ab", "1002", "0x0", "DELIVRD", "000000040000000R"},
			{"2000-01-01T05:30:00.000+05:30", "4", "foo", "HELPLN", "919812345679", "64", "8", "060804000702020928", "14000001ab", "1003", "0x0", "DELIVRD", "000000040000000R"},
			{"2000-01-01T05:30:00.000+05:30", "5", "foo", `HE"LP`, "nobody", "64", "8", "060804000702020928", "14000001ab", "", "0xb", "", "000000040000000R"},
		}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Errorf("record (-want +got):\n%s", diff)
		}
	})
}

func TestDuplicateLimit(t *testing.T) {
	t.Parallel()
	set := hashSet{limit: 1000}
	for i := range uint64(1500) {
		if was, remembered := set.add(i); was || remembered != (i < 1000) {
			t.Fatalf("adding %d: was %t, remembered %t", i, was, remembered)
		}
	}
	for i := range uint64(1500) {
		if set.has(i) != (i < 1000) {
			t.Fatalf("has %d: %t", i, set.has(i))
		}
	}
	if was, _ := set.add(0); !was {
		t.Error("zero was forgotten")
	}
}
