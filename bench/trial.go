package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"pukar/report"
	"pukar/web/api"
	"pukar/web/client"
)

// trial is one run of one size, measured.
type trial struct {
	People     int64             `json:"people"`
	Parts      int64             `json:"parts"`
	Postgres   map[string]string `json:"postgresql"` // settings, as the server says them
	Import     phase             `json:"import"`
	Plan       phase             `json:"plan"`
	Freeze     phase             `json:"freeze"`
	Send       phase             `json:"send"`
	Report     phase             `json:"report"`
	Totals     api.Totals        `json:"totals"`
	Receipts   int64             `json:"receipts_settled"`
	Duplicates int64             `json:"duplicates"`
	// SubmitsPeak is the most parts that the centre got within a second.
	SubmitsPeak int64 `json:"submits_per_second_peak"`
	// SubmitsEarly were with the centre already when the launch was acknowledged.
	SubmitsEarly int64 `json:"submits_before_acknowledgement"`
	// FirstSeconds is how long after the acknowledgement the first message was seen to be on its way, TailSeconds how long the
	// run still took when the last was; both as often as the status was asked for.
	FirstSeconds float64 `json:"first_seconds"`
	TailSeconds  float64 `json:"tail_seconds"`
	// WALBytes is what PostgreSQL wrote ahead for each message, from the acknowledgement on.
	WALBytes float64 `json:"wal_bytes_per_message"`
	// Peak is the most that the program had resident in any phase.
	Peak int64 `json:"program_peak_bytes"`
	// Relative is the time of a message against that at the smallest size.
	Relative float64 `json:"time_per_message_relative"`
	// CopyIn, InsertSelect and CopyOut are rows a second of PostgreSQL alone, beside import, freeze and report.
	CopyIn       float64 `json:"copy_in_per_second"`
	InsertSelect float64 `json:"insert_select_per_second"`
	CopyOut      float64 `json:"copy_out_per_second"`
	// PsqlCopy is rows a second of psql's \copy beside the import, 0 where psql is not installed.
	PsqlCopy float64 `json:"psql_copy_per_second"`
	// Kannel is the peer beside the send, nil where it is not installed.
	Kannel *peer `json:"kannel,omitempty"`
	// Wrong is everything that does not add up; nothing in a good trial.
	Wrong []string `json:"wrong,omitempty"`
}

// wrong notes what does not add up.
func (t *trial) wrong(format string, args ...any) {
	t.Wrong = append(t.Wrong, fmt.Sprintf(format, args...))
}

// equal notes two counts that should be the same.
func (t *trial) equal(what string, got, want int64) {
	if got != want {
		t.wrong("%s: %d, and %d expected", what, got, want)
	}
}

// runTrial plays one campaign on a stage of its own.
func runTrial(ctx context.Context, o options, n int, stderr io.Writer) (_ *trial, err error) {
	profile := ""
	if o.profile != "" {
		if profile, err = filepath.Abs(o.profile + "." + strconv.Itoa(n)); err != nil {
			return nil, err
		}
	}
	var s stage
	defer func() { err = errors.Join(err, s.tearDown(o.keep, stderr)) }()
	say(stderr, "%s people: starting the message centre, PostgreSQL, Redis and the server", grouped(int64(n)))
	if err := s.setUp(ctx, o, profile); err != nil {
		return nil, err
	}
	t := &trial{People: int64(n)}
	for _, step := range []func(context.Context, *trial, options, io.Writer) error{s.settings, s.people, s.launch, s.kannel, s.report, s.baselines} {
		if err := step(ctx, t, o, stderr); err != nil {
			return nil, errors.Join(err, s.running())
		}
	}
	for _, p := range []phase{t.Import, t.Plan, t.Freeze, t.Send, t.Report} {
		t.Peak = max(t.Peak, p.Peak)
	}
	for _, wrong := range t.Wrong {
		say(stderr, "  WRONG: %s", wrong)
	}
	return t, nil
}

// people makes the list and imports it.
func (s *stage) people(ctx context.Context, t *trial, _ options, stderr io.Writer) error {
	list := filepath.Join(s.folder, "people.csv")
	if err := writePeople(list, int(t.People)); err != nil {
		return err
	}
	var done api.ImportResult
	var err error
	t.Import, err = s.pids.timed(t.People, func() error {
		file, err := os.Open(list)
		if err != nil {
			return err
		}
		defer file.Close()
		last := time.Now()
		done, err = s.caller.Import(ctx, file, client.ImportOptions{
			Source: "bench", FileName: "people.csv", Invented: true,
			Progress: func(p api.ImportProgress) {
				if time.Since(last) > 5*time.Second {
					last = time.Now()
					say(stderr, "  imported %s", grouped(p.Read))
				}
			},
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	t.equal("people imported", done.Inserted, t.People)
	t.equal("rows refused", done.Refused, 0)
	say(stderr, "  import: %s contacts/s", grouped(int64(t.Import.PerSecond)))
	return os.Remove(list)
}

// launch plans, launches, and waits for the end of the run.
func (s *stage) launch(ctx context.Context, t *trial, o options, stderr io.Writer) error {
	if _, err := s.caller.AddTemplate(ctx, []byte(messages[o.message].template)); err != nil {
		return err
	}
	if _, err := s.caller.CreateCampaign(ctx, []byte(campaignSource)); err != nil {
		return err
	}
	var plan api.Plan
	var err error
	if t.Plan, err = s.pids.timed(t.People, func() error {
		plan, err = s.caller.Plan(ctx, "bench")
		return err
	}); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	t.equal("people planned", plan.Recipients, t.People)
	t.equal("messages that cannot be rendered", plan.NotRendered, 0)
	t.equal("parts planned", plan.Parts, t.People*messages[o.message].parts)
	t.Parts = plan.Parts

	var status api.CampaignStatus
	if t.Freeze, err = s.pids.timed(t.People, func() error {
		status, err = s.caller.Launch(ctx, "bench", api.LaunchRequest{Expected: plan.Recipients})
		return err
	}); err != nil {
		return fmt.Errorf("launch: %w", err)
	}
	t.equal("recipients", status.Recipients, t.People)
	t.equal("targeted less recipients less excluded", status.Targeted-status.Recipients-status.Excluded, 0)
	say(stderr, "  freeze: %s recipients/s", grouped(int64(t.Freeze.PerSecond)))
	return s.send(ctx, t, stderr)
}

// send waits for the end of the run that was launched just now.
func (s *stage) send(ctx context.Context, t *trial, stderr io.Writer) error {
	early, err := s.counts(ctx)
	if err != nil {
		return err
	}
	t.SubmitsEarly = early.Submits
	written, err := s.walPosition(ctx)
	if err != nil {
		return err
	}
	var last api.CampaignStatus
	if t.Send, err = s.pids.timed(t.People, func() error {
		last, err = s.watch(ctx, t, stderr)
		return err
	}); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	now, err := s.walPosition(ctx)
	if err != nil {
		return err
	}
	t.WALBytes = float64(now-written) / float64(t.People)
	t.Totals = last.Totals
	t.Receipts = last.Totals.Delivered + last.Totals.Failed + last.Totals.Expired
	counts, err := s.counts(ctx)
	if err != nil {
		return err
	}
	t.SubmitsPeak, t.Duplicates = counts.HighestInSecond, counts.Duplicates
	if last.State != "done" {
		t.wrong("the run ended as %s: %s", last.State, last.Why)
	}
	t.equal("sum of the totals", last.Totals.Sum(), last.Recipients)
	t.equal("messages delivered", last.Totals.Delivered, t.People)
	t.equal("parts that the centre got", counts.Submits, t.Parts)
	t.equal("parts that the centre accepted", counts.Accepted, t.Parts)
	t.equal("parts that the centre got twice", counts.Duplicates, 0)
	t.equal("receipts acknowledged", counts.ReceiptsAcked, t.Parts)
	if counts.DuplicatesPart {
		t.wrong("the centre could not remember every message to look for duplicates")
	}
	say(stderr, "  send: %s messages/s, receipts settled", grouped(int64(t.Send.PerSecond)))
	return nil
}

// watch asks for the status until the run has ended. How often: seldom enough to disturb little, often enough that the
// wait for the last answer is about a hundredth of the run.
func (s *stage) watch(ctx context.Context, t *trial, stderr io.Writer) (api.CampaignStatus, error) {
	pause := min(max(time.Duration(t.People)*time.Microsecond/2, 20*time.Millisecond), 250*time.Millisecond)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	begun := time.Now()
	var first, last time.Duration
	for told := begun; ; {
		status, err := s.caller.Status(ctx, "bench")
		if err != nil {
			return status, err
		}
		now := time.Since(begun)
		if first == 0 && status.Totals.Pending < status.Recipients {
			first = now
		}
		if last == 0 && status.Totals.Pending == 0 {
			last = now
		}
		if status.Ended() {
			t.FirstSeconds, t.TailSeconds = first.Seconds(), (now - last).Seconds()
			return status, nil
		}
		if status.State == "paused" {
			return status, fmt.Errorf("the run was paused: %s", status.Why)
		}
		if err := s.running(); err != nil {
			return status, err
		}
		if time.Since(told) > 5*time.Second {
			told = time.Now()
			say(stderr, "  settled %s of %s", grouped(status.Totals.Delivered), grouped(status.Recipients))
		}
		timer.Reset(pause - rand.N(pause/4)) // not in step with anything of the server's
		select {
		case <-timer.C:
		case <-ctx.Done():
			return status, context.Cause(ctx)
		}
	}
}

// report takes the delivery report and holds it to the list of people.
func (s *stage) report(ctx context.Context, t *trial, _ options, stderr io.Writer) error {
	path := filepath.Join(s.folder, "report.csv")
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var manifest report.Manifest
	if t.Report, err = s.pids.timed(t.People, func() error {
		manifest, err = s.caller.DeliveryReport(ctx, "bench", client.ReportOptions{}, file)
		return errors.Join(err, file.Close())
	}); err != nil {
		return fmt.Errorf("delivery report: %w", err)
	}
	t.equal("rows of the report's manifest", manifest.Rows, t.People)
	t.equal("parts of the report's manifest", manifest.Parts, t.Parts)
	if err := t.checkReport(path); err != nil {
		return err
	}
	say(stderr, "  report: %s rows/s", grouped(int64(t.Report.PerSecond)))
	return os.Remove(path)
}
