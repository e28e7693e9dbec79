package smsc

import (
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"pukar/smpp/pdu"
)

var discard = slog.New(slog.DiscardHandler)

func contains(s, part string) bool { return strings.Contains(s, part) }

func TestIDForms(t *testing.T) {
	t.Parallel()
	tests := []struct{ form, response, receipt string }{
		{IDDecimal, "12172825", "12172825"},
		{IDHex, "b9be19", "b9be19"},
		{IDHexDecimal, "b9be19", "12172825"},
		{IDDecimalHex, "12172825", "b9be19"},
		{IDPaddedHex, "0000000000B9BE19", "b9be19"},
		{IDUUID, "dfe5fa53-bbbc-83ea-a4d0-d0f378a0b1cb", "dfe5fa53-bbbc-83ea-a4d0-d0f378a0b1cb"},
	}
	for _, tt := range tests {
		t.Run(tt.form, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, pipe := open(t, Options{IDForm: tt.form, FirstID: 0xB9BE19})
				defer c.Close()
				client := bound(t, pipe, "foo")
				defer client.close()
				if got := client.accepted(message("919812345678", "hello")); got != tt.response {
					t.Errorf("id in the response %q, want %q", got, tt.response)
				}
				_, m := client.deliver()
				id, _ := pdu.FindTLV(m.TLVs, pdu.TagReceiptedMessageID)
				if got := string(id); got != tt.receipt+"\x00" {
					t.Errorf("id in the receipt %q, want %q", got, tt.receipt)
				}
				if !contains(string(m.ShortMessage), "id:"+tt.receipt+" ") {
					t.Errorf("text %q", m.ShortMessage)
				}
			})
		})
	}
}

func TestReceiptForms(t *testing.T) {
	t.Parallel()
	appendixB := regexp.MustCompile(`^id:(\d+) sub:001 dlvrd:00[01] submit date:(\d{10}) done date:(\d{10}) stat:([A-Z]{7}) err:(\d{3}) text:(.{0,20})$`)
	tests := []struct {
		form    string
		opts    Options
		stat    string
		err     string
		network []byte
	}{
		{ReceiptText, Options{}, "DELIVRD", "000", nil},
		{ReceiptTLV, Options{}, "DELIVRD", "", nil},
		{ReceiptBoth, Options{}, "DELIVRD", "000", nil},
		{ReceiptBoth, Options{ExpireRatio: 1}, "EXPIRED", "027", []byte{3, 0, 27}},
	}
	for _, tt := range tests {
		t.Run(tt.form+" "+tt.stat, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tt.opts.ReceiptForm, tt.opts.ReceiptDelay = tt.form, time.Minute
				c, pipe := open(t, tt.opts)
				defer c.Close()
				client := bound(t, pipe, "foo")
				defer client.close()
				// In the bubble it is 2000-01-01 00:00 UTC, in India half past five.
				client.accepted(message("919812345678", "stat:EXPIRED of this text only the start"))
				u, m := client.deliver()
				client.ack(u, pdu.StatusOK)
				if m.ESMClass != pdu.ESMReceipt || m.Source != "919812345678" || m.Destination != "HELPLN" || m.DestTON != pdu.TONAlphanumeric {
					t.Errorf("addresses: %+v", m)
				}
				_, hasID := pdu.FindTLV(m.TLVs, pdu.TagReceiptedMessageID)
				state, hasState := pdu.FindTLV(m.TLVs, pdu.TagMessageState)
				if want := tt.form != ReceiptText; hasID != want || hasState != want {
					t.Errorf("parameters: %v", m.TLVs)
				} else if want && pdu.MessageState(state[0]).String() != tt.stat {
					t.Errorf("message_state %d", state)
				}
				if network, _ := pdu.FindTLV(m.TLVs, pdu.TagNetworkErrorCode); !cmp.Equal(network, tt.network) {
					t.Errorf("network_error_code %x, want %x", network, tt.network)
				}
				if tt.form == ReceiptTLV {
					if len(m.ShortMessage) != 0 {
						t.Errorf("text %q", m.ShortMessage)
					}
					return
				}
				got := appendixB.FindStringSubmatch(string(m.ShortMessage))
				if got == nil {
					t.Fatalf("text %q", m.ShortMessage)
				}
				want := []string{"0001010530", "0001010531", tt.stat, tt.err, "stat:EXPIRED of this"}
				if diff := cmp.Diff(want, got[2:]); diff != "" {
					t.Errorf("text (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestRegisteredDelivery(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		registered      byte
		fail, delivered bool
	}{{0, false, false}, {1, true, true}, {2, true, false}, {3, false, true}, {0x10, false, false}} {
		if got := wanted(tt.registered, pdu.StateUndeliverable); got != tt.fail {
			t.Errorf("registered_delivery %d, failed: %t", tt.registered, got)
		}
		if got := wanted(tt.registered, pdu.StateDelivered); got != tt.delivered {
			t.Errorf("registered_delivery %d, delivered: %t", tt.registered, got)
		}
	}
}

// TestReceiptTimes tells when responses and receipts come, in milliseconds after the submit.
func TestReceiptTimes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		opts     Options
		validity string
		want     string
		state    pdu.MessageState
	}{
		{"at once", Options{}, "", "response 0, receipt 0", pdu.StateDelivered},
		{"later", Options{ReceiptDelay: 2 * time.Second}, "", "response 0, receipt 2000", pdu.StateDelivered},
		{"much later", Options{ReceiptDelay: 25 * time.Second}, "", "response 0, receipt 25000", pdu.StateDelivered},
		{"slow answer", Options{ResponseDelay: time.Second, ReceiptDelay: time.Second}, "", "response 1000, receipt 2000", pdu.StateDelivered},
		{"early", Options{ReceiptBeforeResponse: true, ReceiptDelay: time.Hour}, "", "receipt 0, response 20", pdu.StateDelivered},
		{"twice", Options{DuplicateReceipts: true}, "", "response 0, receipt 0, receipt 0", pdu.StateDelivered},
		{"valid", Options{ReceiptDelay: 2 * time.Second}, "000000000003000R", "response 0, receipt 2000", pdu.StateDelivered},
		{"expires", Options{ReceiptDelay: 2 * time.Second}, "000000000001000R", "response 0, receipt 1000", pdu.StateExpired},
		{"expires at a time", Options{ReceiptDelay: time.Minute}, "000101053010022+", "response 0, receipt 10000", pdu.StateExpired},
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
				m.ValidityPeriod = tt.validity
				start := time.Now()
				client.submit(m)
				var got []string
				for range strings.Count(tt.want, ",") + 1 {
					u, ok := client.next()
					if !ok {
						t.Fatal("connection ended")
					}
					what := "response "
					if u.ID == pdu.DeliverSMID {
						what = "receipt "
						d := decodeDeliver(t, u)
						if state, _ := pdu.FindTLV(d.TLVs, pdu.TagMessageState); pdu.MessageState(state[0]) != tt.state {
							t.Errorf("state %d, want %d", state, tt.state)
						}
						client.ack(u, pdu.StatusOK)
					}
					// The clock ticks in steps of 10 ms.
					got = append(got, what+millis(u.at.Sub(start)))
				}
				if text := strings.Join(got, ", "); text != tt.want {
					t.Errorf("got %s, want %s", text, tt.want)
				}
				client.quiet(5 * time.Second)
			})
		})
	}
}

// millis is a duration in milliseconds, less what the clock's ticks of 10 ms add.
func millis(d time.Duration) string {
	return strconv.FormatInt(d.Truncate(20*time.Millisecond).Milliseconds(), 10)
}

func TestCollidingSequence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{CollidingSequence: true, ReceiptDelay: 10 * time.Millisecond, ResponseDelay: 500 * time.Millisecond})
		defer c.Close()
		client := bound(t, pipe, "foo")
		defer client.close()
		open, collided := map[uint32]bool{}, 0
		for range 20 {
			open[client.submit(message("919812345678", "hello"))] = true
		}
		for range 20 {
			delete(open, client.expect(pdu.SubmitSMRespID).Sequence)
		}
		for range 20 {
			open[client.submit(message("919812345679", "hello"))] = true
		}
		for receipts, answers := 0, 0; receipts < 40 || answers < 20; {
			u, ok := client.next()
			if !ok {
				t.Fatal("connection ended")
			}
			if u.ID == pdu.SubmitSMRespID {
				answers++
				delete(open, u.Sequence)
				continue
			}
			receipts++
			if open[u.Sequence] {
				collided++
			}
			client.ack(u, pdu.StatusOK)
		}
		if collided == 0 {
			t.Error("no deliver_sm had the number of an unanswered submit")
		}
		synctest.Wait()
		if s := c.Stats(); s.ReceiptsAcked != 40 || s.StrayAcks != 0 {
			t.Errorf("acked %d, stray %d", s.ReceiptsAcked, s.StrayAcks)
		}
	})
}

func TestReceiptWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{ReceiptWindow: 3})
		defer c.Close()
		sender := dial(t, pipe)
		defer sender.close()
		sender.bind(pdu.BindTransmitterID, "foo", "")
		for range 7 {
			sender.accepted(message("919812345678", "hello"))
		}
		receiver := dial(t, pipe)
		defer receiver.close()
		receiver.bind(pdu.BindReceiverID, "foo", "")
		var open []unit
		for _, acks := range []int{0, 1, 2, 0, 1} {
			for range acks {
				receiver.ack(open[0], pdu.StatusOK)
				open = open[1:]
			}
			for len(open) < 3 {
				u, _ := receiver.deliver()
				open = append(open, u)
			}
			receiver.quiet(10 * time.Second)
			if s := c.Stats(); s.Outstanding != 3 {
				t.Errorf("outstanding %d, want 3", s.Outstanding)
			}
		}
	})
}

func TestRedelivery(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status pdu.Status
		silent bool
		again  time.Duration // zero: never
	}{
		{"silence", 0, true, 20 * time.Second},
		{"temporary error", pdu.StatusReceiverTemporary, false, 7 * time.Second},
		{"system error", pdu.StatusSystemError, false, 7 * time.Second},
		{"permanent error", pdu.StatusReceiverPermanent, false, 0},
		{"rejected", pdu.StatusReceiverReject, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, pipe := open(t, Options{RedeliverAfter: 20 * time.Second, RetryAfter: 7 * time.Second, EnquireInterval: -1})
				defer c.Close()
				client := bound(t, pipe, "foo")
				defer client.close()
				client.accepted(message("919812345678", "hello"))
				first, want := client.deliver()
				if !tt.silent {
					client.ack(first, tt.status)
				}
				if tt.again == 0 {
					client.quiet(30 * time.Second)
					if s := c.Stats(); s.Discarded != 1 || s.Nacked != 1 {
						t.Errorf("stats %+v", s)
					}
					return
				}
				second, got := client.deliver()
				if after := second.at.Sub(first.at); after < tt.again || after > tt.again+1300*time.Millisecond {
					t.Errorf("again after %v, want %v", after, tt.again)
				}
				if diff := cmp.Diff(want.TLVs, got.TLVs); diff != "" {
					t.Errorf("parameters (-first +second):\n%s", diff)
				}
				client.ack(second, pdu.StatusOK)
				client.quiet(time.Minute)
				if s := c.Stats(); s.Redelivered != 1 || s.ReceiptsAcked != 1 || s.ReceiptsQueued != 0 || s.Outstanding != 0 {
					t.Errorf("stats %+v", s)
				}
			})
		})
	}
}

// TestQueueOutlivesTheLine has receipts wait for a receiver, and what was not acknowledged come again on the next.
func TestQueueOutlivesTheLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{})
		defer c.Close()
		sender := dial(t, pipe)
		sender.bind(pdu.BindTransmitterID, "foo", "")
		ids := map[string]bool{}
		for range 10 {
			ids[sender.accepted(message("919812345678", "hello"))] = true
		}
		sender.quiet(time.Second)
		sender.close()
		stranger := bound(t, pipe, "other")
		stranger.quiet(time.Second)
		stranger.close()

		receiver := dial(t, pipe)
		receiver.bind(pdu.BindReceiverID, "foo", "")
		for i := range 10 {
			u, m := receiver.deliver()
			if i%2 == 0 {
				settle(ids, m)
				receiver.ack(u, pdu.StatusOK)
			}
		}
		synctest.Wait()
		receiver.close()
		again := bound(t, pipe, "foo")
		defer again.close()
		for range 5 {
			u, m := again.deliver()
			settle(ids, m)
			again.ack(u, pdu.StatusOK)
		}
		if len(ids) != 0 {
			t.Errorf("no receipt for %v", ids)
		}
		again.quiet(2 * time.Minute)
	})
}

// settle strikes the message of a receipt off.
func settle(ids map[string]bool, m pdu.DeliverSM) {
	id, _ := pdu.FindTLV(m.TLVs, pdu.TagReceiptedMessageID)
	delete(ids, strings.TrimSuffix(string(id), "\x00"))
}
