package templates

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/internal/pgdb"
)

// ErrNotFound says that no template, or no such version of it, is in the store.
var ErrNotFound = errors.New("template not found")

// Store keeps every version of every template.
type Store struct {
	db pgdb.DB
}

// NewStore opens the store on a pool or within a transaction.
func NewStore(db pgdb.DB) *Store { return &Store{db: db} }

// Version is a stored version of a template. Versions count from 1.
type Version struct {
	Name      string    `json:"name"`
	Version   int       `json:"version"`
	Source    string    `json:"source"` // the YAML as it was given
	Actor     string    `json:"actor"`
	CreatedAt time.Time `json:"created_at"`

	Template *Template `db:"-" json:"-"` // Source, parsed; List leaves it nil
}

// sqlLockTemplate keeps two people who add the same name from taking the same version; it is held to the end of the
// transaction. The first key tells templates from other users of advisory locks.
const sqlLockTemplate = `
SELECT pg_advisory_xact_lock(hashtext('pukar.templates'), hashtext($1))`

const sqlAddTemplate = `
WITH newest AS (
    SELECT version, source
      FROM template
     WHERE name = $1
     ORDER BY version DESC
     LIMIT 1
), added AS (
    INSERT INTO template (name, version, source, actor)
    SELECT $1, coalesce((SELECT version FROM newest), 0) + 1, $2, $3
     WHERE NOT EXISTS (SELECT FROM newest WHERE source = $2)
    RETURNING version
)
SELECT version FROM added
UNION ALL
SELECT version FROM newest WHERE source = $2`

// Add checks a source and stores it. A source equal to the newest version's is that version again; any other is the next
// one. Errors of the source are [Problems].
func (s *Store) Add(ctx context.Context, source []byte, actor string) (name string, version int, err error) {
	t, err := Parse(source)
	if err != nil {
		return "", 0, err
	}
	err = pgx.BeginFunc(ctx, s.db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlLockTemplate, t.Name); err != nil {
			return err
		}
		return tx.QueryRow(ctx, sqlAddTemplate, t.Name, string(source), actor).Scan(&version)
	})
	if err != nil {
		return "", 0, fmt.Errorf("add template %s: %w", t.Name, err)
	}
	return t.Name, version, nil
}

const sqlGetTemplate = `
SELECT name, version, source, actor, created_at
  FROM template
 WHERE name = $1
 ORDER BY version DESC
 LIMIT 1`

// Get gives the newest version of a template, or [ErrNotFound].
func (s *Store) Get(ctx context.Context, name string) (*Version, error) {
	return s.one(ctx, fmt.Sprintf("get template %s", name), sqlGetTemplate, name)
}

const sqlGetTemplateVersion = `
SELECT name, version, source, actor, created_at
  FROM template
 WHERE name = $1
   AND version = $2`

// GetVersion gives one version of a template, or [ErrNotFound].
func (s *Store) GetVersion(ctx context.Context, name string, version int) (*Version, error) {
	return s.one(ctx, fmt.Sprintf("get template %s version %d", name, version), sqlGetTemplateVersion, name, version)
}

func (s *Store) one(ctx context.Context, what, sql string, args ...any) (*Version, error) {
	rows, err := s.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Version])
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if v.Template, err = Parse([]byte(v.Source)); err != nil {
		return nil, fmt.Errorf("%s: version %d: %w", what, v.Version, err)
	}
	return v, nil
}

// listLimit bounds a page of List.
const listLimit = 1000

const sqlListTemplates = `
SELECT DISTINCT ON (name)
       name, version, source, actor, created_at
  FROM template
 WHERE name > $1
 ORDER BY name, version DESC
 LIMIT $2`

// List gives the newest version of every template by name, up to 1000 of them, beginning after the given name; "" begins at
// the first. Fewer than 1000 means that there are no more.
func (s *Store) List(ctx context.Context, after string) ([]Version, error) {
	rows, err := s.db.Query(ctx, sqlListTemplates, after, listLimit)
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Version])
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	return list, nil
}

// statements are the package's SQL, for the test that prepares each on the migrated schema.
var statements = []string{sqlLockTemplate, sqlAddTemplate, sqlGetTemplate, sqlGetTemplateVersion, sqlListTemplates}
