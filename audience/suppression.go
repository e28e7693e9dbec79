package audience

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/internal/notice"
	"pukar/internal/pgdb"
)

// The channels that a suppression can cover.
const (
	ScopeAll  = "all"  // messages and calls
	ScopeSMS  = "sms"  // messages only
	ScopeCall = "call" // calls only
)

// Where a suppression can come from; the evidence says more.
const (
	SourceKeyword    = "keyword"     // a message that MatchKeyword took for a stop
	SourceMissedCall = "missed_call" // a missed call to the stop number
	SourceIVR        = "ivr"         // a digit pressed during a call
	SourceAgent      = "agent"       // said to an agent
	SourceImport     = "import"      // a list of numbers read from a file
	SourceComplaint  = "complaint"   // a complaint, the operator's or the regulator's
	SourceOperator   = "operator"    // entered by hand at the command line or the console
)

// ErrInvalidSuppression is wrapped by every refusal of a suppression whose
// fields cannot be stored.
var ErrInvalidSuppression = errors.New("invalid suppression")

// Suppression is one person's stop: which channel, for what, how we know.
type Suppression struct {
	ID        int64      // set by the database; 0 before
	MSISDN    int64      // digits of E.164; 0 when the person has been erased
	Key       int64      // keyed hash of the number, see Key.Number
	Scope     string     // ScopeAll, ScopeSMS or ScopeCall
	Purpose   string     // the campaign purpose that is stopped; "" is every purpose
	Source    string     // one of the Source constants
	Evidence  string     // the message, digit or file that proves it
	Actor     string     // who or what recorded it
	At        time.Time  // when it took effect; the zero time means now
	LiftedAt  *time.Time // nil while in force
	LiftedBy  string
	LiftedWhy string
}

func (s *Suppression) validate() error {
	switch {
	case !slices.Contains(scopes(), s.Scope):
		return fmt.Errorf("%w: unknown scope %q: known are %s", ErrInvalidSuppression, s.Scope, strings.Join(scopes(), ", "))
	case !slices.Contains(suppressionSources(), s.Source):
		return fmt.Errorf("%w: unknown source %q: known are %s", ErrInvalidSuppression, s.Source, strings.Join(suppressionSources(), ", "))
	case s.Actor == "":
		return fmt.Errorf("%w: no actor: name who recorded it", ErrInvalidSuppression)
	case strings.ContainsRune(s.Purpose+s.Evidence+s.Actor, 0):
		return fmt.Errorf("%w: a text with a NUL character", ErrInvalidSuppression)
	}
	return nil
}

func scopes() []string { return []string{ScopeAll, ScopeSMS, ScopeCall} }

func suppressionSources() []string {
	return []string{SourceKeyword, SourceMissedCall, SourceIVR, SourceAgent, SourceImport, SourceComplaint, SourceOperator}
}

// SuppressedSQL is a format for the condition that a number must not get a
// message: it takes the SQL of the number's key and the SQL of the campaign's
// purpose, in that order. A suppression of every purpose or of just this one
// counts, for every channel or for messages. The condition is never NULL.
const SuppressedSQL = `EXISTS (SELECT 1 FROM suppression s WHERE s.msisdn_key = %s AND s.lifted_at IS NULL AND s.scope IN ('all', 'sms') AND s.purpose IN ('', %s))`

const sqlSuppress = `
INSERT INTO suppression (msisdn_key, msisdn, scope, purpose, source, evidence, actor, added_at)
SELECT key, NULLIF(msisdn, 0), scope, purpose, source, evidence, actor, added_at
FROM unnest($1::int8[], $2::int8[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
     WITH ORDINALITY AS new (key, msisdn, scope, purpose, source, evidence, actor, added_at, no)
ORDER BY no
ON CONFLICT (msisdn_key, scope, purpose, source) WHERE lifted_at IS NULL DO NOTHING`

// Suppress records stops on db, which may be a transaction of any package, and
// returns how many were new. A stop that is already in force for the same
// number, scope and purpose is left as it is, with its first evidence, so the
// same message handled twice changes nothing. Nothing is written when any
// suppression of the list is invalid. It takes effect when db's transaction
// commits, and every process hears of it then; confirm to the person only after that.
func Suppress(ctx context.Context, db pgdb.DB, list []Suppression) (added int, err error) {
	if len(list) == 0 {
		return 0, nil
	}
	// One order everywhere, or two transactions with overlapping lists could
	// wait for each other at the unique index for ever.
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b Suppression) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), strings.Compare(a.Scope, b.Scope), strings.Compare(a.Purpose, b.Purpose))
	})
	var (
		now                                     = time.Now()
		keys, numbers                           []int64
		scope, purpose, source, evidence, actor []string
		times                                   []time.Time
	)
	for i := range sorted {
		s := &sorted[i]
		if err := s.validate(); err != nil {
			return 0, err
		}
		at := s.At
		if at.IsZero() {
			at = now
		}
		keys, numbers = append(keys, s.Key), append(numbers, s.MSISDN)
		scope, purpose, source = append(scope, s.Scope), append(purpose, s.Purpose), append(source, s.Source)
		evidence, actor, times = append(evidence, s.Evidence), append(actor, s.Actor), append(times, at)
	}
	tag, err := db.Exec(ctx, sqlSuppress, keys, numbers, scope, purpose, source, evidence, actor, times)
	if err != nil {
		return 0, fmt.Errorf("suppress %d numbers: %w", len(list), err)
	}
	if tag.RowsAffected() > 0 {
		err = tellStops(ctx, db, sorted)
	}
	return int(tag.RowsAffected()), err
}

// tellStops has every process hold back what it wrote ahead for these numbers. What concerns calls alone is not told.
func tellStops(ctx context.Context, db pgdb.DB, list []Suppression) error {
	var told notice.Notice
	for _, s := range list {
		if s.Scope != ScopeCall {
			told.Stops = append(told.Stops, notice.Stop{Key: s.Key, Purpose: s.Purpose})
		}
	}
	if len(told.Stops) == 0 {
		return nil
	}
	return notice.Send(ctx, db, told)
}

const sqlLift = `
UPDATE suppression
SET lifted_at = $4, lifted_by = $3, lifted_why = $5
WHERE msisdn_key = $1
  AND ($2 = '' OR scope = $2)
  AND lifted_at IS NULL`

// Lift ends every suppression in force of the number with that key, of one
// scope or, with an empty scope, of all of them, and returns how many it
// ended. The rows stay with who lifted them and why, which is the evidence of
// the new consent, so both must be given.
func Lift(ctx context.Context, db pgdb.DB, key int64, scope, by, why string) (int, error) {
	if scope != "" && !slices.Contains(scopes(), scope) {
		return 0, fmt.Errorf("%w: unknown scope %q: known are %s", ErrInvalidSuppression, scope, strings.Join(scopes(), ", "))
	}
	if by == "" || why == "" {
		return 0, fmt.Errorf("%w: lifting a stop needs who lifts it and why", ErrInvalidSuppression)
	}
	tag, err := db.Exec(ctx, sqlLift, key, scope, by, time.Now(), why)
	if err != nil {
		return 0, fmt.Errorf("lift suppressions: %w", err)
	}
	return int(tag.RowsAffected()), nil
}

const suppressionColumns = `id, COALESCE(msisdn, 0) AS msisdn, msisdn_key AS key, scope, purpose, source, evidence, actor,
       added_at AS at, lifted_at, COALESCE(lifted_by, '') AS lifted_by, COALESCE(lifted_why, '') AS lifted_why`

const sqlCheckSuppressed = `
SELECT ` + suppressionColumns + `
FROM suppression
WHERE msisdn_key = $1
  AND lifted_at IS NULL
ORDER BY id`

// CheckSuppressed returns the suppressions in force for the number with that
// key, oldest first; none means that no stop is known.
func CheckSuppressed(ctx context.Context, db pgdb.DB, key int64) ([]Suppression, error) {
	rows, err := db.Query(ctx, sqlCheckSuppressed, key)
	if err != nil {
		return nil, fmt.Errorf("check suppressions: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Suppression])
	if err != nil {
		return nil, fmt.Errorf("check suppressions: %w", err)
	}
	return list, nil
}
