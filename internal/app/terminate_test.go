package app

import (
	"strings"
	"testing"
	"time"

	"pukar/smpp/smsc"
)

func TestAProcessToldToStopDrainsItsWindowAndUnbinds(t *testing.T) {
	t.Parallel()
	c := newCrash(t, 3000, smsc.Options{ResponseDelay: 200 * time.Millisecond, ReceiptDelay: 500 * time.Millisecond})
	c.spec.Rate = 1000
	c.spec.Window = 400
	for _, upto := range []int64{500, 1500, 2500} {
		p := startChild(t, c.spec)
		if upto == 500 {
			c.launch("told")
		}
		c.submitted(upto)
		told := time.Now()
		p.terminate()
		if took := time.Since(told); took > 10*time.Second {
			t.Errorf("the process took %v to stop", took)
		}
		status := c.status("told")
		if status.Totals.Unknown != 0 || status.Totals.Pending == 0 {
			t.Errorf("totals %+v after the process was told to stop in mid-run: the window was to be drained", status.Totals)
		}
		if open := c.count("SELECT count(*) FROM stride WHERE closed_at IS NULL"); open != 0 {
			t.Errorf("%d strides were left open", open)
		}
		if accepted, recorded := c.centre.Stats().Accepted, c.count("SELECT count(*) FROM submission WHERE result = 'accepted'"); accepted != recorded {
			t.Errorf("the centre accepted %d parts, the ledger has %d", accepted, recorded)
		}
	}
	last := startChild(t, c.spec)
	c.checkNobodyLostOrDoubled("told", 0)
	last.terminate()
	if said := c.log.String(); strings.Count(said, "msg=unbound") != 4 || strings.Contains(said, "EOF") || strings.Contains(said, "reset") {
		t.Errorf("every process was to unbind before it hung up; the centre says\n%s", said)
	}
}
