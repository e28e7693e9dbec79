package report

import (
	"errors"
	"fmt"
)

// ErrNotFound says that there is no such campaign, or no such run of it.
var ErrNotFound = errors.New("not found")

// ErrInconsistent says that the rows of a run do not add up to its own counts: the ledger was altered, or a defect.
var ErrInconsistent = errors.New("rows and counts of the run differ")

// Options choose what a delivery report is about.
type Options struct {
	Campaign        string // name
	Run             int    // number within the campaign; 0 is the newest
	IncludeExcluded bool   // also a row for everyone who was targeted and left out
	Masked          bool   // hide the middle of phone numbers
}

func noCampaign(name string) error {
	return fmt.Errorf("campaign %q %w: `pukar campaign list` names them", name, ErrNotFound)
}

func noRun(name string, run, newest int) error {
	if newest == 0 {
		return fmt.Errorf("run of campaign %q %w: it was never launched", name, ErrNotFound)
	}
	return fmt.Errorf("run %d of campaign %q %w: its runs are 1 to %d", run, name, ErrNotFound, newest)
}
