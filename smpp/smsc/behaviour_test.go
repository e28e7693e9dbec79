package smsc

import (
	"testing"
	"testing/synctest"
	"time"

	"pukar/smpp/pdu"
)

func TestBehaviourChangesWhileItRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{ResponseDelay: 10 * time.Millisecond})
		defer c.Close()
		client := bound(t, pipe, "foo")
		defer client.close()
		answer := func(b Behaviour) pdu.Status {
			t.Helper()
			if err := c.Behave(b); err != nil {
				t.Fatal(err)
			}
			client.submit(message("919812345678", "hello"))
			return client.expect(pdu.SubmitSMRespID).Status
		}
		for _, tt := range []struct {
			behaviour Behaviour
			want      pdu.Status
		}{
			{Behaviour{ThrottleRatio: 1}, pdu.StatusThrottled},
			{Behaviour{RefuseRatio: 1}, pdu.StatusInvalidDestination},
			{Behaviour{RefuseRatio: 1, RefuseStatus: pdu.StatusSystemError}, pdu.StatusSystemError},
			{Behaviour{ReceiptDelay: time.Hour}, pdu.StatusOK},
		} {
			if got := answer(tt.behaviour); got != tt.want {
				t.Errorf("%+v: answered %s, want %s", tt.behaviour, pdu.StatusName(got), pdu.StatusName(tt.want))
			}
		}
		// The receipt comes before the response, and twice.
		if err := c.Behave(Behaviour{ReceiptBeforeResponse: true, DuplicateReceipts: true, FailRatio: 1}); err != nil {
			t.Fatal(err)
		}
		client.submit(message("919812345679", "hello"))
		for range 2 {
			client.deliver()
		}
		client.expect(pdu.SubmitSMRespID)
		if s := c.Stats(); s.Failed != 1 || s.ReceiptsSent != 2 {
			t.Errorf("%d fates of failure, %d receipts sent; want 1 and 2", s.Failed, s.ReceiptsSent)
		}
		if err := c.Behave(Behaviour{FailRatio: 0.7, ExpireRatio: 0.7}); err == nil {
			t.Error("ratios above 1 were taken")
		}
		if got := answer(Behaviour{}); got != pdu.StatusOK {
			t.Errorf("answered %s in the end", pdu.StatusName(got))
		}
	})
}
