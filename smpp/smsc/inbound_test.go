package smsc

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pukar/smpp/pdu"
)

func TestInject(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		coding     byte
		octets     string
	}{
		{"ASCII", "STOP 1, ok?", pdu.DataCodingDefault, "STOP 1, ok?"},
		{"what GSM writes otherwise", "a@b", pdu.DataCodingUCS2, "\x00a\x00@\x00b"},
		{"Hindi", "बंद", pdu.DataCodingUCS2, "\x09\x2c\x09\x02\x09\x26"},
		{"emoji", "😀", pdu.DataCodingUCS2, "\xd8\x3d\xde\x00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, pipe := open(t, Options{})
				defer c.Close()
				client := bound(t, pipe, "foo")
				defer client.close()
				done := make(chan error, 1)
				go func() { done <- c.Inject("919812345678", "56161", tt.text) }()
				u, m := client.deliver()
				synctest.Wait()
				select {
				case err := <-done:
					t.Errorf("returned before the acknowledgement: %v", err)
				default:
				}
				client.ack(u, pdu.StatusOK)
				if err := <-done; err != nil {
					t.Error(err)
				}
				if m.Source != "919812345678" || m.Destination != "56161" || m.DataCoding != tt.coding || string(m.ShortMessage) != tt.octets || m.ESMClass != 0 {
					t.Errorf("deliver_sm %+v", m)
				}
			})
		})
	}
}

func TestInjectFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{})
		sender := dial(t, pipe)
		sender.bind(pdu.BindTransmitterID, "foo", "")
		defer sender.close()
		if err := c.Inject("919812345678", "56161", "STOP"); !errors.Is(err, ErrNoReceiver) {
			t.Errorf("without a receiver: %v", err)
		}
		client := bound(t, pipe, "bar")
		defer client.close()
		for _, text := range []string{strings.Repeat("x", 161), strings.Repeat("क", 71)} {
			if err := c.Inject("919812345678", "56161", text); !errors.Is(err, ErrUnsendable) {
				t.Errorf("too long: %v", err)
			}
		}
		if err := c.Inject("", "56161", "STOP"); !errors.Is(err, ErrUnsendable) {
			t.Errorf("from nobody: %v", err)
		}
		done := make(chan error, 3)
		inject := func() { done <- c.Inject("919812345678", "56161", "STOP") }
		go inject()
		u, _ := client.deliver()
		client.ack(u, pdu.StatusReceiverPermanent)
		if err := <-done; err == nil || !contains(err.Error(), "ESME_RX_P_APPN") {
			t.Errorf("refused: %v", err)
		}
		go inject()
		u, _ = client.deliver()
		start := time.Now()
		if err := <-done; err == nil || !contains(err.Error(), "not acknowledged") || time.Since(start) != 30*time.Second {
			t.Errorf("no answer, after %v: %v", time.Since(start), err)
		}
		// The centre did not forget it.
		again, _ := client.deliver()
		client.ack(u, pdu.StatusOK)
		client.ack(again, pdu.StatusOK)
		synctest.Wait()
		if s := c.Stats(); s.InboundAcked != 1 || s.StrayAcks != 1 {
			t.Errorf("stats %+v", s)
		}
		go inject()
		client.deliver()
		c.Close()
		if err := <-done; err == nil {
			t.Error("no error from a centre that closed")
		}
	})
}

// TestStops has handsets answer a delivered message with STOP, once for a message of two parts, and counts what came after.
func TestStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{StopRatio: 1, StopTexts: []string{"STOP", "बंद"}, StopDelay: 3 * time.Second, ReceiptDelay: time.Second, ReplyTo: "56161"})
		defer c.Close()
		client := bound(t, pipe, "foo")
		defer client.close()
		m := message("919812345678", "")
		m.ESMClass, m.RegisteredDelivery = pdu.ESMUserDataHeader, 0
		start := time.Now()
		for part := byte(1); part <= 2; part++ {
			m.ShortMessage = []byte{5, 0, 3, 7, 2, part, 'x'}
			client.accepted(m)
		}
		u, d := client.deliver()
		if d.Source != "919812345678" || d.Destination != "56161" || u.at.Sub(start) < 4*time.Second {
			t.Errorf("after %v: %+v", u.at.Sub(start), d)
		}
		client.ack(u, pdu.StatusOK)
		client.quiet(10 * time.Second)
		if s := c.Stats(); s.Stops != 1 || s.StopsAcked != 1 || s.AfterStop != 0 {
			t.Errorf("stats %+v", s)
		}
		client.accepted(m)
		other := m
		other.Destination = "919812345679"
		client.accepted(other)
		if s := c.Stats(); s.AfterStop != 1 {
			t.Errorf("after stop: %d, want 1", s.AfterStop)
		}
	})
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{InjectTimeout: 5 * time.Second})
		defer c.Close()
		handler := c.StatsHandler()
		ask := func(method, path, body string) (int, string) {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
			text, _ := io.ReadAll(w.Body)
			return w.Code, string(text)
		}
		const mo = `{"from": "919812345678", "to": "56161", "text": "STOP"}`
		if code, text := ask("POST", "/mo", mo); code != http.StatusConflict {
			t.Errorf("without a receiver: %d %s", code, text)
		}
		client := bound(t, pipe, "foo")
		defer client.close()
		if code, text := ask("POST", "/mo", mo); code != http.StatusBadGateway {
			t.Errorf("without an acknowledgement: %d %s", code, text)
		}
		client.deliver()
		for _, bad := range []string{"", "{", `{"form": "x"}`, `{"from": "1234567890123456789012", "to": "1", "text": "x"}`} {
			if code, text := ask("POST", "/mo", bad); code != http.StatusBadRequest {
				t.Errorf("body %q: %d %s", bad, code, text)
			}
		}
		go func() {
			u, _ := client.next()
			client.ack(u, pdu.StatusOK)
		}()
		if code, text := ask("POST", "/mo", mo); code != http.StatusNoContent {
			t.Errorf("acknowledged: %d %s", code, text)
		}
		client.accepted(message("919812345678", "hello"))
		code, text := ask("GET", "/stats", "")
		if code != http.StatusOK || !contains(text, `"submits": 1`) || !contains(text, `"ESME_ROK": 1`) || !contains(text, `"binds": 1`) {
			t.Errorf("stats: %d %s", code, text)
		}
	})
}
