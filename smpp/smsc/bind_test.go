package smsc

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"pukar/smpp/pdu"
)

func TestBindAnswers(t *testing.T) {
	t.Parallel()
	credentials := map[string]string{"foo": "bar"}
	tests := []struct {
		name               string
		opts               Options
		systemID, password string
		want               pdu.Status
	}{
		{"anyone", Options{}, "anyone", "x", pdu.StatusOK},
		{"right", Options{Credentials: credentials}, "foo", "bar", pdu.StatusOK},
		{"wrong password", Options{Credentials: credentials}, "foo", "baz", pdu.StatusInvalidPassword},
		{"unknown system", Options{Credentials: credentials}, "fool", "bar", pdu.StatusInvalidSystemID},
		{"told to refuse", Options{BindStatus: pdu.StatusBindFailed}, "foo", "bar", pdu.StatusBindFailed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, pipe := open(t, tt.opts)
				defer c.Close()
				for _, id := range []pdu.ID{pdu.BindReceiverID, pdu.BindTransmitterID, pdu.BindTransceiverID} {
					client := dial(t, pipe)
					if got := client.bind(id, tt.systemID, tt.password); got != tt.want {
						t.Errorf("%s answered %s, want %s", id, pdu.StatusName(got), pdu.StatusName(tt.want))
					}
					if tt.want != pdu.StatusOK {
						client.expectEnd()
					}
					client.close()
				}
				synctest.Wait()
				s := c.Stats()
				if ok := tt.want == pdu.StatusOK; ok != (s.BindsTotal == 3) || ok == (s.BindsRefused == 3) || s.Binds != 0 {
					t.Errorf("stats: %+v", s)
				}
			})
		})
	}
}

func TestMaxBinds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{MaxBinds: 1})
		defer c.Close()
		first := bound(t, pipe, "foo")
		defer first.close()
		second := dial(t, pipe)
		defer second.close()
		if got := second.bind(pdu.BindReceiverID, "foo", ""); got != pdu.StatusAlreadyBound {
			t.Errorf("second bind answered %s", pdu.StatusName(got))
		}
		bound(t, pipe, "other").close()
		if got := first.bind(pdu.BindReceiverID, "foo", ""); got != pdu.StatusAlreadyBound {
			t.Errorf("bind on a bound line answered %s", pdu.StatusName(got))
		}
		first.accepted(message("919812345678", "still here"))
	})
}

func TestOutOfPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{})
		defer c.Close()
		client := dial(t, pipe)
		defer client.close()
		client.submit(message("919812345678", "too early"))
		if u := client.expect(pdu.SubmitSMRespID); u.Status != pdu.StatusIncorrectBindStatus {
			t.Errorf("submit before bind answered %s", pdu.StatusName(u.Status))
		}
		if got := client.bind(pdu.BindReceiverID, "foo", ""); got != pdu.StatusOK {
			t.Fatal(got)
		}
		client.submit(message("919812345678", "wrong way"))
		if u := client.expect(pdu.SubmitSMRespID); u.Status != pdu.StatusIncorrectBindStatus {
			t.Errorf("submit on a receiver answered %s", pdu.StatusName(u.Status))
		}
		client.write(pdu.AppendHeaderOnly(nil, 0x0FFF, pdu.StatusOK, 77))
		if u := client.expect(pdu.GenericNackID); u.Status != pdu.StatusInvalidCommandID || u.Sequence != 77 {
			t.Errorf("unknown command answered %+v", u.Header)
		}
		client.write(pdu.AppendHeaderOnly(nil, pdu.QuerySMID, pdu.StatusOK, 78))
		if u := client.expect(pdu.QuerySMRespID); u.Status != pdu.StatusQueryFailed {
			t.Errorf("query answered %s", pdu.StatusName(u.Status))
		}
		client.write(pdu.AppendHeaderOnly(nil, pdu.EnquireLinkID, pdu.StatusOK, 79))
		if u := client.expect(pdu.EnquireLinkRespID); u.Sequence != 79 {
			t.Errorf("enquire_link answered %+v", u.Header)
		}
		client.write(binary.BigEndian.AppendUint32(nil, 3))
		client.write(pdu.AppendHeaderOnly(nil, pdu.SubmitSMID, pdu.StatusOK, 80)[4:])
		if u := client.expect(pdu.GenericNackID); u.Status != pdu.StatusInvalidCommandLength || u.Sequence != 80 {
			t.Errorf("bad length answered %+v", u.Header)
		}
		client.expectEnd()
		if s := c.Stats(); s.ProtocolErrors != 4 {
			t.Errorf("protocol errors %d, want 4", s.ProtocolErrors)
		}
	})
}

func TestMalformedSubmit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{})
		defer c.Close()
		client := bound(t, pipe, "foo")
		defer client.close()
		m := message("919812345678", "hello")
		whole, _ := m.Append(nil, 9)
		short := append([]byte(nil), whole[:len(whole)-1]...)
		binary.BigEndian.PutUint32(short, uint32(len(short)))
		client.write(short)
		if u := client.expect(pdu.SubmitSMRespID); u.Status != pdu.StatusInvalidCommandLength {
			t.Errorf("short submit answered %s", pdu.StatusName(u.Status))
		}
		tail := append(append([]byte(nil), whole...), 0x14, 0x00)
		binary.BigEndian.PutUint32(tail, uint32(len(tail)))
		client.write(tail)
		if u := client.expect(pdu.SubmitSMRespID); u.Status != pdu.StatusInvalidOptionalPart {
			t.Errorf("submit with half a parameter answered %s", pdu.StatusName(u.Status))
		}
		client.accepted(m)
	})
}

func TestUnbind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{ResponseDelay: time.Hour})
		defer c.Close()
		client := bound(t, pipe, "foo")
		defer client.close()
		client.submit(message("919812345678", "one"))
		client.write(pdu.AppendHeaderOnly(nil, pdu.UnbindID, pdu.StatusOK, 99))
		// What was held back is not lost.
		client.expect(pdu.SubmitSMRespID)
		client.expect(pdu.UnbindRespID)
		client.expectEnd()
	})
}

func TestCloseUnbindsTheClients(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{})
		client := bound(t, pipe, "foo")
		defer client.close()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		client.expect(pdu.UnbindID)
		client.expectEnd()
		if err := c.Close(); err != nil {
			t.Errorf("second close: %v", err)
		}
	})
}

func TestEnquiresAndDropsTheDead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{EnquireInterval: 10 * time.Second})
		defer c.Close()
		client := bound(t, pipe, "foo")
		defer client.close()
		u := client.expect(pdu.EnquireLinkID)
		client.write(pdu.AppendHeaderOnly(nil, pdu.EnquireLinkRespID, pdu.StatusOK, u.Sequence))
		client.expect(pdu.EnquireLinkID)
		client.expect(pdu.EnquireLinkID)
		client.expectEnd()
	})
}

func TestStartReportsAllThatIsWrong(t *testing.T) {
	t.Parallel()
	bad := Options{IDForm: "roman", ReceiptForm: "post", FailRatio: 0.7, ExpireRatio: 0.6, DeliverRatio: 0.1, RefuseRatio: -1, Window: -1, ResponseDelay: -1}
	err := New(bad, discard).Start()
	if err == nil {
		t.Fatal("started")
	}
	for _, want := range []string{`unknown id form "roman"`, `unknown receipt form "post"`, "add up to", "refuse ratio -1", "window -1", "response delay"} {
		if !contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
	if err := New(Options{Addr: "999.999.999.999:1"}, discard).Start(); err == nil {
		t.Error("listened at an impossible address")
	}
}
