package campaign

import (
	"errors"
	"strings"
	"testing"
)

func TestDurability(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		server durability
		off    string // the setting that is refused
	}{
		{durability{"on", "on", "on"}, ""},
		{durability{"on", "on", "local"}, ""},
		{durability{"on", "on", "remote_write"}, ""},
		{durability{"on", "on", "remote_apply"}, ""},
		{durability{"off", "on", "on"}, "fsync"},
		{durability{"on", "off", "on"}, "full_page_writes"},
		{durability{"on", "on", "off"}, "synchronous_commit"},
		{durability{"off", "off", "off"}, "fsync"},
	} {
		err := test.server.check()
		var volatile *VolatileError
		if off := errors.As(err, &volatile); off != (test.off != "") || off && (volatile.Setting != test.off || !strings.Contains(err.Error(), test.off)) {
			t.Errorf("%+v gives %v, want a complaint about %q", test.server, err, test.off)
		}
	}
}

// The servers of tests run without fsync: a ledger that nobody told that this is a test sends nothing on them.
func TestNothingIsSentWithoutFsync(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	ctx := t.Context()
	status := d.launch(t, "volatile")
	if status.Why != "" {
		t.Errorf("in a test the run is held by %q", status.Why)
	}
	strict := NewLedger(d.db)
	var volatile *VolatileError
	if lease, err := strict.Claim(ctx, status.RunID, 0, "test"); !errors.As(err, &volatile) || volatile.Setting != "fsync" {
		t.Errorf("claimed %+v with %v, want a complaint about fsync", lease, err)
	}
	if err := strict.Durable(ctx); !errors.As(err, &volatile) {
		t.Errorf("the server is taken for durable: %v", err)
	}
	if fence := one[int64](t, d.office, `SELECT fence FROM batch WHERE run_id = $1`, status.RunID); fence != 0 {
		t.Errorf("the refused claim left fence %d behind", fence)
	}
	said, err := NewService(d.Config).Status(ctx, "volatile")
	if err != nil || said.State != string(RunRunning) || !strings.Contains(said.Why, "fsync") {
		t.Errorf("status says %+v, %v: it is to name fsync", said, err)
	}
	d.claim(t, status.RunID, 0) // as a ledger that was told so may
}
