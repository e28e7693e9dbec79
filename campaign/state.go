package campaign

import (
	"errors"
	"fmt"
	"slices"
)

// Errors that callers tell apart.
var (
	// ErrNotFound says that no campaign or run has that name or number.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that the thing exists already or has moved on.
	ErrConflict = errors.New("conflict")
	// ErrInvalid says that what was given cannot be used; the text names the mend.
	ErrInvalid = errors.New("invalid")
)

// problem is an error whose text is for the user and whose kind is one of the sentinels.
type problem struct {
	kind error
	text string
}

func (p *problem) Error() string { return p.text }
func (p *problem) Unwrap() error { return p.kind }

func notFound(format string, args ...any) error {
	return &problem{kind: ErrNotFound, text: fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) error {
	return &problem{kind: ErrConflict, text: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) error {
	return &problem{kind: ErrInvalid, text: fmt.Sprintf(format, args...)}
}

// Stage is how far a campaign got before its first run.
type Stage string

// The stages of a campaign. From launched on, its state is that of its newest run.
const (
	StageDraft     Stage = "draft"
	StageSubmitted Stage = "submitted"
	StageApproved  Stage = "approved"
	StageScheduled Stage = "scheduled" // fires by itself; the runs that it had show beside it
	StageLaunched  Stage = "launched"
)

// RunState is where a run stands.
type RunState string

// The states of a run. Pausing, ending and cancelling last until the strides that are open are closed.
const (
	RunRunning    RunState = "running"
	RunPausing    RunState = "pausing"
	RunPaused     RunState = "paused"
	RunSettling   RunState = "settling"
	RunDone       RunState = "done"
	RunEnding     RunState = "ending"
	RunCancelling RunState = "cancelling"
	RunCancelled  RunState = "cancelled"
	RunFailed     RunState = "failed"
)

// runMoves is every legal move of a run; the statements that move one name the states they move from.
var runMoves = map[RunState][]RunState{
	RunRunning:    {RunPausing, RunPaused, RunSettling, RunEnding, RunCancelling, RunFailed}, // to paused at once only after a restore or by a stop of everything
	RunPausing:    {RunPaused, RunRunning, RunEnding, RunCancelling},
	RunPaused:     {RunRunning, RunEnding, RunCancelling},
	RunSettling:   {RunRunning, RunPaused, RunDone, RunCancelling}, // as above
	RunEnding:     {RunSettling, RunCancelling},
	RunCancelling: {RunCancelled},
	RunDone:       {},
	RunCancelled:  {},
	RunFailed:     {},
}

// movesTo lists the states from which a run may move to the given one.
func movesTo(to RunState) []string {
	var from []string
	for state, next := range runMoves {
		if slices.Contains(next, to) {
			from = append(from, string(state))
		}
	}
	slices.Sort(from)
	return from
}
