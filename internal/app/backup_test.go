package app

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pukar/campaign"
	"pukar/internal/auditlog"
	"pukar/internal/backup"
	"pukar/internal/config"
	"pukar/internal/testenv"
	"pukar/smpp/smsc"
)

// TestABackupIsPutBackOntoAnEmptyMachine takes a backup while a campaign is being sent, puts it back where there is
// nothing but the programs, and lets it go on there.
func TestABackupIsPutBackOntoAnEmptyMachine(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{}, func(c *config.Config) { c.Routes[0].PartsPerSecond = 200 })
	b.run()
	const people = 1500
	b.people(people)
	b.launch("bihar")
	b.submitted(200)
	ctx := t.Context()
	var file bytes.Buffer
	taken, err := backup.Source{
		Pool: b.app.Pool, Address: b.config.DatabaseURL.Reveal(), Home: b.config.Home, KeyFile: b.config.KeyFile, Program: "test",
	}.Take(ctx, &file)
	if err != nil {
		t.Fatal(err)
	}
	if taken.Contacts != people || taken.Runs != 1 || taken.Audit == 0 {
		t.Errorf("taken: %+v", taken)
	}
	b.stop()

	// The other machine: a home with nothing in it, private servers, the same configuration else.
	home := openHome(t)
	cfg := b.config
	cfg.Home, cfg.KeyFile, cfg.Socket = filepath.Join(home, "pukar"), filepath.Join(home, "pukar", "key"), filepath.Join(home, "pukar", "pukar.sock")
	cfg.DatabaseURL, cfg.RedisURL = "", ""
	if err := os.Mkdir(cfg.Home, 0o755); err != nil {
		t.Fatal(err)
	}
	broken := bytes.Clone(file.Bytes())
	broken[len(broken)/2] ^= 1
	if _, err := RestoreBackup(ctx, &cfg, bytes.NewReader(broken), testenv.Logger(t)); !errors.Is(err, backup.ErrNotABackup) {
		t.Errorf("an altered file: %v", err)
	}
	done, err := RestoreBackup(ctx, &cfg, bytes.NewReader(file.Bytes()), testenv.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	if !done.Audit.OK() || done.Audit.Events <= taken.Audit-1 || done.Lists.Runs != 1 || done.Paused != 1 {
		t.Errorf("restored: %+v", done)
	}
	if _, err := RestoreBackup(ctx, &cfg, bytes.NewReader(file.Bytes()), testenv.Logger(t)); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("over an installation: %v", err)
	}

	sent := b.centre.Stats().Submits
	b.config, b.volatile = cfg, false
	b.run()
	if status := b.status("bihar"); status.State != string(campaign.RunPaused) {
		t.Errorf("the run is %s: %s", status.State, status.Why)
	}
	if verified, err := auditlog.Verify(ctx, b.app.Pool, taken.Head); err != nil || !verified.OK() {
		t.Errorf("the chain after the restore: %+v, %v", verified, err)
	}
	if now := b.centre.Stats().Submits; now != sent {
		t.Errorf("%d parts were sent after the restore", now-sent)
	}
	if _, err := b.app.Campaigns.ResumeAll(ctx, "test", true); err != nil {
		t.Fatal(err)
	}
	if status := b.done("bihar"); status.Totals.Sum() != people || status.Totals.Pending != 0 {
		t.Errorf("totals %+v of %d people", status.Totals, people)
	}
	b.stop()
}

// TestNobodyServesAHalfRestoredHome leaves a restore unfinished.
func TestNobodyServesAHalfRestoredHome(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{}, nil)
	if err := backup.Claim(b.config.Home, b.config.KeyFile); err != nil {
		t.Fatal(err)
	}
	err := Run(t.Context(), Options{Config: &b.config, Log: testenv.Logger(t), Version: "test", Volatile: true})
	if !errors.Is(err, backup.ErrUnfinished) {
		t.Errorf("served: %v", err)
	}
}

// TestVerifyHashesFindsAnAlteredList changes one frozen recipient.
func TestVerifyHashesFindsAnAlteredList(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{}, nil)
	b.run()
	b.people(20)
	b.launch("bihar")
	b.done("bihar")
	ctx := t.Context()
	ledger := campaign.NewLedger(b.app.Pool)
	if found, err := ledger.VerifyHashes(ctx); err != nil || found.Runs != 1 || len(found.Broken) != 0 {
		t.Fatalf("%+v, %v", found, err)
	}
	if _, err := b.app.Pool.Exec(ctx, `UPDATE recipient SET language = 'xx' WHERE seq = 7`); err != nil {
		t.Fatal(err)
	}
	if found, err := ledger.VerifyHashes(ctx); err != nil || found.Runs != 0 || len(found.Broken) != 1 {
		t.Errorf("%+v, %v", found, err)
	}
	b.stop()
}
