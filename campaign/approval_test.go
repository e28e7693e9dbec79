package campaign

import (
	"context"
	"strings"
	"testing"

	"pukar/templates"
)

// reword adds a next version of a template.
func (d *desk) reword(t *testing.T, source string) {
	t.Helper()
	if _, _, err := templates.NewStore(d.db).Add(context.Background(), []byte(strings.Replace(source, "1800-891-2995", "1800-891-2996", 1)), "test"); err != nil {
		t.Fatal(err)
	}
}

func TestApprovalIsForOneVersionOfTheTemplate(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.Approval = true
	ctx := t.Context()
	submit := func() {
		t.Helper()
		if c, err := d.Submit(ctx, "versions", "asha"); err != nil || c.Stage != StageSubmitted || c.ApprovedBy != "" {
			t.Fatalf("%+v, %v", c, err)
		}
	}
	approve := func() {
		t.Helper()
		if c, err := d.Approve(ctx, "versions", "bela"); err != nil || c.Stage != StageApproved {
			t.Fatalf("%+v, %v", c, err)
		}
	}
	d.create(t, "versions")
	submit()
	d.reword(t, introTemplate)
	_, err := d.Approve(ctx, "versions", "bela")
	wants(t, err, ErrConflict, "with version 1 of its template", "version 2 now", "pukar campaign submit versions")
	submit()
	approve()
	d.reword(t, introTemplate+"# once more\n")
	_, err = d.Launch(ctx, "versions", LaunchOptions{Actor: "asha"})
	wants(t, err, ErrConflict, "with version 2 of its template", "version 3 now", "pukar campaign submit versions")
	if runs := one[int](t, d.office, `SELECT count(*) FROM run`); runs != 0 {
		t.Errorf("%d runs were made", runs)
	}
	submit()
	_, err = d.Launch(ctx, "versions", LaunchOptions{Actor: "asha"})
	wants(t, err, ErrConflict, "asks for an approval")
	approve()
	status, err := d.Launch(ctx, "versions", LaunchOptions{Actor: "asha"})
	if err != nil {
		t.Fatal(err)
	}
	if version := one[int](t, d.office, `SELECT template_version FROM run WHERE id = $1`, status.RunID); version != 3 {
		t.Errorf("version %d went out, version 3 was approved", version)
	}

	// The same holds for another run.
	d.exec(t, `UPDATE run SET state = 'done', finished_at = now()`)
	d.reword(t, introTemplate)
	_, err = d.Launch(ctx, "versions", LaunchOptions{Actor: "asha", Again: true})
	wants(t, err, ErrConflict, "with version 3 of its template", "version 4 now")
	submit()
	approve()
	if _, err := d.Launch(ctx, "versions", LaunchOptions{Actor: "asha", Again: true}); err != nil {
		t.Error(err)
	}
}

// TestLaunchOfWhatWasChangedMeanwhile changes a draft between the plan that a launch makes and its freeze.
func TestLaunchOfWhatWasChangedMeanwhile(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "", "home_state=20, home_district=339")
	ctx := t.Context()
	d.create(t, "changed", "audience: {home: [BR]}")
	change, err := d.db.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = change.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := change.Exec(ctx, `UPDATE campaign SET source = $1`, string(campaignFile("changed", "audience: {home: [JH]}"))); err != nil {
		t.Fatal(err)
	}
	launched := make(chan error, 1)
	go func() {
		_, err := d.Launch(ctx, "changed", LaunchOptions{Actor: "asha"})
		launched <- err
	}()
	eventually(t, "the launch waits for the change", func() bool {
		return one[bool](t, d.office, `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`)
	})
	if err := change.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	wants(t, <-launched, ErrConflict, "changed meanwhile: plan it again")
	if runs := one[int](t, d.office, `SELECT count(*) FROM run`); runs != 0 {
		t.Errorf("%d runs were made", runs)
	}
	if status, err := d.Launch(ctx, "changed", LaunchOptions{Actor: "asha"}); err != nil || status.Recipients != 1 {
		t.Errorf("%+v, %v", status, err)
	}
}
