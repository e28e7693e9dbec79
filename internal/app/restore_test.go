package app

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pukar/campaign"
	"pukar/internal/config"
	"pukar/internal/mark"
	"pukar/smpp/smsc"
)

// openHome is a home that the account of the private servers can enter.
func openHome(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	for _, folder := range []string{filepath.Dir(home), home} {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return home
}

// copyFolder copies a folder with its owners, in the place of what was there.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.CommandContext(t.Context(), "cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("copy %s: %v: %s", from, err, said)
	}
}

// TestADataFolderPutBackPausesEverything lets a campaign run on a server of its own, which keeps what it confirms,
// takes a copy of the data folder on the way, and puts it back after the campaign went on.
func TestADataFolderPutBackPausesEverything(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{}, func(c *config.Config) {
		home := openHome(t)
		c.Home, c.KeyFile, c.Socket = home, filepath.Join(home, "key"), filepath.Join(home, "pukar.sock")
		c.DatabaseURL, c.RedisURL = "", ""
		c.Routes[0].PartsPerSecond = 100
	})
	b.volatile = false // a server as in production: whatever is sent here is sent without the tests' leave
	data := filepath.Join(b.config.Home, "servers", "postgres", "data")
	backup := filepath.Join(b.config.Home, "backup")

	b.run()
	const people = 600
	b.people(people)
	b.launch("bihar")
	b.create(introTemplate, strings.Replace(introCampaign, "%s", "later", 1))
	b.submitted(100)
	b.stop()
	copyFolder(t, data, backup)

	b.run() // the same data, further on: it goes on by itself
	before := b.centre.Stats().Submits
	b.submitted(before + 100)
	b.stop()
	sent := b.centre.Stats().Submits

	copyFolder(t, backup, data)
	b.run()
	status := b.status("bihar")
	if status.State != string(campaign.RunPaused) || !strings.Contains(status.Why, "pukar resume-all --after-restore") {
		t.Errorf("the run is %s: %s", status.State, status.Why)
	}
	ctx := t.Context()
	if _, err := b.app.Campaigns.Resume(ctx, "bihar", "test"); !errors.Is(err, campaign.ErrConflict) {
		t.Errorf("resumed: %v", err)
	}
	if _, err := b.app.Campaigns.Launch(ctx, "later", campaign.LaunchOptions{Actor: "test"}); !errors.Is(err, campaign.ErrConflict) {
		t.Errorf("launched: %v", err)
	}
	b.stop()
	b.run() // the mark is new, the pause stays: it is in the database
	if _, err := b.app.Campaigns.Resume(ctx, "bihar", "test"); !errors.Is(err, campaign.ErrConflict) {
		t.Errorf("resumed after another start: %v", err)
	}
	if now := b.centre.Stats().Submits; now != sent {
		t.Errorf("%d parts were sent after the restore", now-sent)
	}
	if resumed, err := b.app.Campaigns.ResumeAll(ctx, "test", true); err != nil || len(resumed) != 1 || resumed[0].Campaign != "bihar" {
		t.Errorf("resumed %+v, %v", resumed, err)
	}
	b.done("bihar")
	b.stop()
	if _, err := os.Stat(filepath.Join(b.config.Home, mark.FileName)); err != nil {
		t.Error(err)
	}
}
