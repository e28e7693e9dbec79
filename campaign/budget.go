package campaign

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"pukar/internal/auditlog"
	"pukar/internal/pgdb"
	"pukar/templates"
)

const (
	// What a person raised stays, whatever the file says. A test may have spent more than the file allows by now.
	sqlEnsureBudget = `
INSERT INTO budget (campaign_id, budget_inr)
VALUES ($1, $2::numeric)
ON CONFLICT (campaign_id) DO UPDATE SET budget_inr = greatest(excluded.budget_inr, budget.spent_inr + budget.held_inr)
WHERE NOT budget.raised`

	sqlHoldBudget = `
WITH price AS (
    SELECT r.campaign_id, r.inr_per_part * $2 AS amount
    FROM run r
    WHERE r.id = $1
), held AS (
    UPDATE budget b
    SET held_inr = b.held_inr + p.amount
    FROM price p
    WHERE b.campaign_id = p.campaign_id AND b.spent_inr + b.held_inr + p.amount <= b.budget_inr
    RETURNING p.amount
)
UPDATE stride
SET held_inr = held.amount
FROM held
WHERE stride.id = $3`

	sqlAffordable = `
SELECT floor((b.budget_inr - b.spent_inr - b.held_inr) / r.inr_per_part)::int8, floor((b.budget_inr - b.spent_inr) / r.inr_per_part)::int8
FROM run r
JOIN budget b ON b.campaign_id = r.campaign_id
WHERE r.id = $1 AND r.inr_per_part > 0`

	sqlSettleBudget = `
UPDATE budget b
SET held_inr = b.held_inr - s.held_inr, spent_inr = b.spent_inr + r.inr_per_part * $2
FROM stride s
JOIN run r ON r.id = s.run_id
WHERE s.id = $1 AND b.campaign_id = r.campaign_id`
)

// BudgetError says that a stride would cost more than its campaign's budget has left; nothing was opened.
type BudgetError struct {
	Left    int // parts that there is money for now
	Unspent int // parts that there would be money for if the strides that are open gave theirs back
}

// Error says what is left.
func (e *BudgetError) Error() string {
	return fmt.Sprintf("the budget has %d parts left", e.Left)
}

// ensureBudget keeps what the campaign file allows, once there is a run that can spend it.
func ensureBudget(ctx context.Context, tx pgx.Tx, campaign int32, budget templates.Rupees) error {
	if budget == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlEnsureBudget, campaign, priceOf(budget)); err != nil {
		return fmt.Errorf("keep the budget of campaign %d: %w", campaign, err)
	}
	return nil
}

// holdBudget reserves what the parts of a stride cost. It is the last that its transaction locks.
func holdBudget(ctx context.Context, tx pgx.Tx, s *Stride, run int32) error {
	if !s.Budgeted || s.Parts == 0 {
		return nil
	}
	tag, err := tx.Exec(ctx, sqlHoldBudget, run, s.Parts, s.ID)
	if err != nil {
		return fmt.Errorf("reserve the budget: %w", err)
	}
	if tag.RowsAffected() == 1 {
		return nil
	}
	var left, unspent int64
	if err := tx.QueryRow(ctx, sqlAffordable, run).Scan(&left, &unspent); err != nil {
		return fmt.Errorf("read the budget: %w", err)
	}
	return &BudgetError{Left: int(min(left, 1<<30)), Unspent: int(min(unspent, 1<<30))}
}

// settleBudget turns what a stride reserved into what it spent: parts accepted, and parts that may have left.
func settleBudget(ctx context.Context, tx pgx.Tx, s *Stride, results []PartResult) error {
	if !s.Budgeted || s.Parts == 0 {
		return nil
	}
	spent := 0
	for _, r := range results {
		if r.Result == Accepted || r.Result == InDoubt {
			spent++
		}
	}
	if _, err := tx.Exec(ctx, sqlSettleBudget, s.ID, spent); err != nil {
		return fmt.Errorf("settle the budget: %w", err)
	}
	return nil
}

const (
	sqlBudget = `
SELECT b.budget_inr::text, b.spent_inr::text, (b.budget_inr - b.spent_inr - b.held_inr)::text
FROM budget b
JOIN campaign c ON c.id = b.campaign_id
WHERE c.name = $1`

	sqlRaiseBudget = `
UPDATE budget
SET budget_inr = $2::numeric, raised = true
WHERE campaign_id = $1 AND budget_inr < $2::numeric`

	sqlRunStateLock = `SELECT state FROM run WHERE id = $1 FOR UPDATE`
)

// Budget is what a campaign may spend and has spent, over all its runs.
type Budget struct {
	Budget, Spent templates.Rupees
	Left          templates.Rupees // not spent, and not reserved by what is on the wire
}

// budgetOf reads the budget of a campaign, nil where it has none or no run yet.
func budgetOf(ctx context.Context, db pgdb.DB, name string) (*Budget, error) {
	var texts [3]string
	err := db.QueryRow(ctx, sqlBudget, name).Scan(&texts[0], &texts[1], &texts[2])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the budget of %s: %w", name, err)
	}
	var b Budget
	for i, to := range []*templates.Rupees{&b.Budget, &b.Spent, &b.Left} {
		if *to, err = templates.ParseRupees(texts[i]); err != nil {
			return nil, fmt.Errorf("read the budget of %s: %w", name, err)
		}
	}
	return &b, nil
}

// ResumeWith is Resume with a budget, in rupees such as "250000" or "1200.50", that is higher than the campaign's present one and
// counts from then on; a run that goes on already just gets it. Both happen or neither. ErrInvalid where the budget is not higher,
// or the campaign has none.
func (s *Service) ResumeWith(ctx context.Context, name, actor, budgetINR string) (*Status, error) {
	if budgetINR == "" {
		return s.Resume(ctx, name, actor)
	}
	budget, err := templates.ParseRupees(budgetINR)
	if err != nil || budget <= 0 {
		return nil, invalid("--budget-inr: %q: write rupees such as 250000 or 1200.50", budgetINR)
	}
	return s.resumeNewest(ctx, name, actor, func(tx pgx.Tx, run int32, moved bool) (bool, error) {
		if !moved {
			var state RunState
			if err := tx.QueryRow(ctx, sqlRunStateLock, run).Scan(&state); err != nil {
				return false, fmt.Errorf("look at run %d: %w", run, err)
			}
			if state != RunRunning {
				return false, nil
			}
		}
		return true, raiseBudget(ctx, tx, name, actor, budget)
	})
}

func raiseBudget(ctx context.Context, tx pgx.Tx, name, actor string, budget templates.Rupees) error {
	c, err := readCampaign(tx.QueryRow(ctx, sqlCampaign, name), name)
	if err != nil {
		return err
	}
	before, err := budgetOf(ctx, tx, name)
	if err != nil {
		return err
	}
	if before == nil {
		return invalid("--budget-inr: campaign %q has no budget: resume it without", name)
	}
	tag, err := tx.Exec(ctx, sqlRaiseBudget, c.ID, priceOf(budget))
	if err != nil {
		return fmt.Errorf("raise the budget of %s: %w", name, err)
	}
	if tag.RowsAffected() == 0 {
		return invalid("--budget-inr: %s is not more than the present budget of %s: give the whole new budget", budget, before.Budget)
	}
	return auditlog.Append(ctx, tx, auditlog.Event{
		Actor: actor, Action: "campaign.budget.raise", Subject: name,
		Before: map[string]any{"budget_inr": before.Budget.String(), "spent_inr": before.Spent.String()}, After: map[string]any{"budget_inr": budget.String()},
	})
}

// PauseForBudget pauses a run that cannot pay for its next message.
func (l *Ledger) PauseForBudget(ctx context.Context, run *Run) error {
	b, err := budgetOf(ctx, l.pool, run.Campaign)
	if err != nil || b == nil {
		return err
	}
	why := fmt.Sprintf("the budget of %s rupees does not pay for another message, %s are spent: raise it with `pukar campaign resume %s --budget-inr N`",
		b.Budget, b.Spent, run.Campaign)
	_, err = l.Brake(ctx, run.ID, "campaign.budget.spent", why, map[string]any{"budget_inr": b.Budget.String(), "spent_inr": b.Spent.String()})
	return err
}

// warnOfBudget says where a plan costs more than is left.
func (s *Service) warnOfBudget(ctx context.Context, plan *Plan, spec *Spec, cost templates.Rupees) error {
	if spec.BudgetINR == 0 {
		return nil
	}
	left := spec.BudgetINR
	if b, err := budgetOf(ctx, s.Pool, spec.Name); err != nil {
		return err
	} else if b != nil {
		left = b.Left
	}
	if cost > left {
		plan.Warnings = append(plan.Warnings, fmt.Sprintf("it would cost %s rupees and the budget has %s left: it will pause when that is spent", cost, left))
	}
	return nil
}
