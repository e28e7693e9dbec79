package campaign

import (
	"context"
	"fmt"
)

// VolatileError says that PostgreSQL may lose, with the machine, what it has confirmed: a stride that was
// written ahead would be forgotten, and its messages sent again.
type VolatileError struct{ Setting string }

// Error names the setting and the mend.
func (e *VolatileError) Error() string {
	return fmt.Sprintf("nothing is sent while PostgreSQL's %s is off, because what was sent could be forgotten with the machine: "+
		"set it on where it was turned off (postgresql.conf, ALTER SYSTEM, ALTER DATABASE, ALTER ROLE or the options of database_url)", e.Setting)
}

// durability is what a session's promise to keep a commit hangs on. Any synchronous_commit but off waits
// for the server's own disk, which is what a crash of that server asks for.
type durability struct{ fsync, fullPageWrites, synchronousCommit string }

const durabilityColumns = `current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')`

func (d *durability) fields() []any { return []any{&d.fsync, &d.fullPageWrites, &d.synchronousCommit} }

func (d *durability) check() error {
	for _, setting := range []struct{ name, value string }{
		{"fsync", d.fsync}, {"full_page_writes", d.fullPageWrites}, {"synchronous_commit", d.synchronousCommit},
	} {
		if setting.value == "off" {
			return &VolatileError{Setting: setting.name}
		}
	}
	return nil
}

const sqlDurability = `SELECT ` + durabilityColumns

// Durable gives a *VolatileError while the server may lose what it has confirmed.
func (l *Ledger) Durable(ctx context.Context) error {
	if l.volatile {
		return nil
	}
	var d durability
	if err := l.pool.QueryRow(ctx, sqlDurability).Scan(d.fields()...); err != nil {
		return fmt.Errorf("ask how the database keeps commits: %w", err)
	}
	return d.check()
}

// AllowVolatile lets the ledger send though the server may lose commits. It is for tests, whose servers
// do without fsync and whose messages go to simulated centres; no configuration leads here.
func (l *Ledger) AllowVolatile() { l.volatile = true }

// AllowVolatile is Ledger.AllowVolatile for the service's own ledger, for tests alone.
func (s *Service) AllowVolatile() { s.ledger.AllowVolatile() }
