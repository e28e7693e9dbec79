package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"pukar/internal/auditlog"
)

// ManifestSuffix is added to a report's file name to name its manifest.
const ManifestSuffix = ".manifest.json"

// Manifest says what a delivery report holds, so that the file can be held to it later.
type Manifest struct {
	AsOf         time.Time        `json:"as_of"` // the one moment that every row is of
	Campaign     string           `json:"campaign"`
	Run          int              `json:"run"`
	RunState     string           `json:"run_state"`
	Filters      Filters          `json:"filters"`
	Format       string           `json:"format"`
	Columns      []string         `json:"columns"`
	Rows         int64            `json:"rows"` // without the header line
	Recipients   int64            `json:"recipients"`
	Totals       map[string]int64 `json:"totals"`        // recipients by outcome, every outcome named
	Excluded     map[string]int64 `json:"excluded"`      // by reason, whether they have rows or not
	Targeted     int64            `json:"targeted"`      // recipients and excluded
	Parts        int64            `json:"parts"`         // billed
	CostINR      string           `json:"cost_inr"`      // exact decimal
	Bytes        int64            `json:"bytes"`         // of the file
	SHA256       string           `json:"sha256"`        // of the file, lower-case hex
	SnapshotHash string           `json:"snapshot_hash"` // of the frozen recipients, lower-case hex
	AuditAnchor  auditlog.Anchor  `json:"audit_anchor"`  // the newest audit event at as_of; `pukar audit verify` can be held to it
}

// Filters are the choices that decided about rows and columns.
type Filters struct {
	IncludeExcluded bool `json:"include_excluded"`
	Masked          bool `json:"masked"`

	From string `json:"from,omitempty"` // of messages: taken in from then on
	To   string `json:"to,omitempty"`   // of messages: taken in before then
}

// WriteManifest puts a manifest beside the report that it belongs to, as FILE.manifest.json, replacing an older one in one step. It is
// readable by its owner only, like the report.
func WriteManifest(file string, m Manifest) (err error) {
	name := file + ManifestSuffix
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("write manifest of %s: %w", file, err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(name), ".manifest-*")
	if err != nil {
		return fmt.Errorf("write manifest of %s: %w", file, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write manifest of %s: %w", file, err), os.Remove(temporary.Name()))
		}
	}()
	if _, err := temporary.Write(append(b, '\n')); err != nil {
		return errors.Join(err, temporary.Close())
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), name)
}
