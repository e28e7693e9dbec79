package campaign

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// budgeted launches a campaign for six people at 0.145 rupees a part, with a budget.
func budgeted(t *testing.T, budget string) (*desk, *Status, *Lease) {
	t.Helper()
	d := newDesk(t, "", "", "", "", "", "")
	status := d.launch(t, "bihar", "caps: {budget_inr: "+budget+"}")
	return d, status, d.claim(t, status.RunID, 0)
}

// openPaid opens a stride over the next recipients that is paid from the budget.
func (d *desk) openPaid(lease *Lease, parts ...byte) (*Stride, error) {
	s := firstStride(lease, parts...)
	s.Budgeted = true
	_, err := d.office.ledger.OpenFirst(context.Background(), lease, s, testPurpose, nil, 0)
	return s, err
}

// money is what is spent and reserved.
func (d *desk) money(t *testing.T) string {
	t.Helper()
	return one[string](t, d.office, `SELECT trim_scale(spent_inr) || ' spent, ' || trim_scale(held_inr) || ' held' FROM budget`)
}

func TestABudgetIsKeptToThePart(t *testing.T) {
	t.Parallel()
	d, _, lease := budgeted(t, "0.58") // four parts
	s, err := d.openPaid(lease, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	if got := d.money(t); got != "0 spent, 0.435 held" {
		t.Error(got)
	}
	var short *BudgetError
	if _, err := d.openPaid(lease, 2); !errors.As(err, &short) || short.Left != 1 || short.Unspent != 4 {
		t.Errorf("two more parts: %v, %+v", err, short)
	}
	if lease.SentUpto != 2 {
		t.Errorf("the lease is at %d", lease.SentUpto)
	}
	results := resultsOf(s, Accepted)
	results[1].Result, results[2].Result = InDoubt, Refused
	d.record(t, s, results)
	if got := d.money(t); got != "0.29 spent, 0 held" {
		t.Error(got)
	}
	s, err = d.openPaid(lease, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	d.record(t, s, resultsOf(s, NotSent))
	if got := d.money(t); got != "0.29 spent, 0 held" {
		t.Errorf("what was not sent costs: %s", got)
	}
	redo := redoStride(lease, d.due(t, lease), 1)
	redo.Budgeted = true
	if _, err := d.office.ledger.OpenRedo(t.Context(), lease, redo, testPurpose, nil, 0); err != nil {
		t.Fatal(err)
	}
	d.record(t, redo, resultsOf(redo, Accepted))
	if got := d.money(t); got != "0.58 spent, 0 held" {
		t.Error(got)
	}
	if _, err := d.openPaid(lease, 1); !errors.As(err, &short) || short.Left != 0 || short.Unspent != 0 {
		t.Errorf("a part more than the budget: %v", err)
	}
}

func TestWhatALostStrideReservedIsSpent(t *testing.T) {
	t.Parallel()
	d, _, lease := budgeted(t, "0.58")
	if _, err := d.openPaid(lease, 1, 1, 1); err != nil {
		t.Fatal(err)
	}
	d.exec(t, `UPDATE stride SET send_by = now() - interval '1 hour'`)
	d.exec(t, `UPDATE batch SET lease_until = now() - interval '1 hour'`)
	if unknown, err := d.office.ledger.Recover(t.Context(), 0); err != nil || unknown != 3 {
		t.Fatalf("%d unknown, %v", unknown, err)
	}
	if got := d.money(t); got != "0.435 spent, 0 held" {
		t.Error(got)
	}
}

func TestAnAbandonedStrideGivesItsReservationBack(t *testing.T) {
	t.Parallel()
	d, _, lease := budgeted(t, "0.58")
	s, err := d.openPaid(lease, 1, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.office.ledger.Abandon(t.Context(), lease, s, RedoRule{OnUnknown: "hold"}); err != nil {
		t.Fatal(err)
	}
	if got := d.money(t); got != "0 spent, 0 held" {
		t.Error(got)
	}
}

func TestABudgetIsRaisedAndShown(t *testing.T) {
	t.Parallel()
	d, status, lease := budgeted(t, "0.29")
	ctx := t.Context()
	s, err := d.openPaid(lease, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	d.record(t, s, resultsOf(s, Accepted))
	run, err := d.office.ledger.Run(ctx, status.RunID)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.office.ledger.PauseForBudget(ctx, run); err != nil {
		t.Fatal(err)
	}
	said, err := d.Status(ctx, "bihar")
	if err != nil || said.BudgetINR != "0.2900" || said.SpentINR != "0.2900" || said.State != string(RunPausing) ||
		!strings.Contains(said.Why, "`pukar campaign resume bihar --budget-inr N`") {
		t.Errorf("%+v, %v", said, err)
	}
	for _, budget := range []string{"0.29", "0.1", "-1", "much"} {
		_, err := d.ResumeWith(ctx, "bihar", "asha", budget)
		wants(t, err, ErrInvalid, "--budget-inr")
	}
	if said, err = d.ResumeWith(ctx, "bihar", "asha", "100"); err != nil || said.State != string(RunRunning) || said.BudgetINR != "100.0000" {
		t.Errorf("%+v, %v", said, err)
	}
	if raised := one[int](t, d.office, `SELECT count(*) FROM audit_event WHERE action = 'campaign.budget.raise' AND actor = 'asha'`); raised != 1 {
		t.Errorf("%d events", raised)
	}
	free := d.launch(t, "free")
	if free.BudgetINR != "" {
		t.Errorf("%+v", free)
	}
	_, err = d.ResumeWith(ctx, "free", "asha", "100")
	wants(t, err, ErrInvalid, "has no budget")
}

func TestABudgetIsRaisedWithTheResumeOrNotAtAll(t *testing.T) {
	t.Parallel()
	d, launched, _ := budgeted(t, "0.29")
	run := launched.RunID
	if said, err := d.ResumeWith(t.Context(), "bihar", "asha", "0.58"); err != nil || said.State != string(RunRunning) || said.BudgetINR != "0.5800" {
		t.Errorf("a run that goes on: %+v, %v", said, err)
	}
	d.stopAll(t)
	d.advance(t, run)
	_, err := d.ResumeWith(t.Context(), "bihar", "asha", "100")
	wants(t, err, ErrConflict, "pukar resume-all")
	if _, err := d.ResumeAll(t.Context(), "asha", false); err != nil {
		t.Fatal(err)
	}
	d.exec(t, `UPDATE run SET state = 'cancelled', finished_at = now() WHERE id = $1`, run)
	_, err = d.ResumeWith(t.Context(), "bihar", "asha", "100")
	wants(t, err, ErrConflict, "cannot be told to resume")
	if status, err := d.Status(t.Context(), "bihar"); err != nil || status.BudgetINR != "0.5800" {
		t.Errorf("a budget was raised by what was refused: %+v, %v", status, err)
	}
}

func TestThePlanWarnsOfTheBudget(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "", "")
	for budget, want := range map[string]bool{"0.01": true, "1000": false} {
		name := fmt.Sprintf("plan-%v", want)
		d.create(t, name, "caps: {budget_inr: "+budget+"}")
		plan, err := d.Plan(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(strings.Join(plan.Warnings, "\n"), "the budget has"); got != want {
			t.Errorf("with %s rupees it warns: %v, %q", budget, got, plan.Warnings)
		}
	}
}

// A test spends of the budget that the draft had; what the file says at the launch counts.
func TestABudgetThatWasLoweredAfterATestCounts(t *testing.T) {
	t.Parallel()
	for _, budget := range []string{"0.29", "0.1"} {
		t.Run(budget, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, "", "")
			ctx := t.Context()
			d.create(t, "bihar", "caps: {budget_inr: 1000}")
			test, err := d.Test(ctx, "bihar", "919800000091", "", "asha")
			if err != nil {
				t.Fatal(err)
			}
			s, err := d.openPaid(d.claim(t, test.RunID, 0), 1)
			if err != nil {
				t.Fatal(err)
			}
			d.record(t, s, resultsOf(s, Accepted))
			if _, err := d.Update(ctx, campaignFile("bihar", "caps: {budget_inr: "+budget+"}"), "asha"); err != nil {
				t.Fatal(err)
			}
			status, err := d.Launch(ctx, "bihar", LaunchOptions{Actor: "asha"})
			if err != nil {
				t.Fatal(err)
			}
			var short *BudgetError
			if _, err := d.openPaid(d.claim(t, status.RunID, 0), 1, 1); !errors.As(err, &short) {
				t.Errorf("two more parts: %v", err)
			}
		})
	}
}
