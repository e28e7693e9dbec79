package audience

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"pukar/internal/pgdb"
)

const sqlLoadStates = `
INSERT INTO place_state AS s (code, abbreviation, name_en, name_hi)
SELECT code, abbreviation, name_en, name_hi
FROM unnest($1::int2[], $2::text[], $3::text[], $4::text[]) AS t (code, abbreviation, name_en, name_hi)
ON CONFLICT (code) DO UPDATE
SET abbreviation = EXCLUDED.abbreviation, name_en = EXCLUDED.name_en, name_hi = EXCLUDED.name_hi
WHERE (s.abbreviation, s.name_en, s.name_hi) IS DISTINCT FROM (EXCLUDED.abbreviation, EXCLUDED.name_en, EXCLUDED.name_hi)`

const sqlLoadDistricts = `
INSERT INTO place_district AS d (code, state, name_en, name_hi)
SELECT code, state, name_en, name_hi
FROM unnest($1::int4[], $2::int2[], $3::text[], $4::text[]) AS t (code, state, name_en, name_hi)
ON CONFLICT (code) DO UPDATE
SET state = EXCLUDED.state, name_en = EXCLUDED.name_en, name_hi = EXCLUDED.name_hi
WHERE (d.state, d.name_en, d.name_hi) IS DISTINCT FROM (EXCLUDED.state, EXCLUDED.name_en, EXCLUDED.name_hi)`

// LoadPlaces brings the tables of states and districts up to the embedded table, in one transaction.
// Doing it again changes nothing. A district that a newer table no longer has stays, because people
// of the register may still refer to it.
func LoadPlaces(ctx context.Context, db pgdb.DB) error {
	p := KnownPlaces()
	var (
		codes              []int16
		abbreviations      []string
		statesEN, statesHI []string
	)
	for _, s := range p.states {
		codes = append(codes, s.Code)
		abbreviations = append(abbreviations, s.Abbreviation)
		statesEN, statesHI = append(statesEN, s.NameEN), append(statesHI, s.NameHI)
	}
	var (
		districts        []int32
		parents          []int16
		namesEN, namesHI []string
	)
	for _, d := range p.districts {
		districts = append(districts, d.Code)
		parents = append(parents, d.State)
		namesEN, namesHI = append(namesEN, d.NameEN), append(namesHI, d.NameHI)
	}
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlLoadStates, codes, abbreviations, statesEN, statesHI); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, sqlLoadDistricts, districts, parents, namesEN, namesHI)
		return err
	})
	if err != nil {
		return fmt.Errorf("load places: %w", err)
	}
	return nil
}
