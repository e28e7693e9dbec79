package audience

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// The statements below are put together from names of the plan, which are those of importColumns
// and never text of the file.

// updateSQL brings the staged rows into the register: newer values win, NULL never erases, and a row
// that says nothing new matches nobody. $1 is the import.
func (m *importMerge) updateSQL() string {
	var set, differs []string
	take := func(column, value, differ string) {
		set = append(set, column+" = "+value)
		if differ != "" {
			differs = append(differs, differ)
		}
	}
	for _, column := range m.plan.cells {
		s, c := "s."+column, "c."+column
		simple := "COALESCE(" + s + ", " + c + ")"
		differ := "(" + s + " IS NOT NULL AND " + s + " IS DISTINCT FROM " + c + ")"
		switch column {
		case "msisdn_key", "age_on": // they follow msisdn and age
			if column == "age_on" {
				take(column, "CASE WHEN "+newAge+" THEN s.age_on ELSE c.age_on END", "")
			} else {
				take(column, s, "")
			}
		case "age":
			take(column, "CASE WHEN "+newAge+" THEN s.age ELSE c.age END", newAge)
		case "home_district", "current_district":
			state := strings.TrimSuffix(column, "district") + "state"
			// A newer state alone leaves no room for the older state's district.
			take(column, "CASE WHEN "+s+" IS NULL AND s."+state+" IS NOT NULL AND s."+state+" IS DISTINCT FROM c."+state+" THEN NULL ELSE "+simple+" END", differ)
		case "home_state", "current_state":
			take(column, simple, differ)
			district := strings.TrimSuffix(column, "state") + "district"
			if !slices.Contains(m.plan.cells, district) { // the file has only states
				take(district, "CASE WHEN "+s+" IS NOT NULL AND "+s+" IS DISTINCT FROM "+c+" THEN NULL ELSE c."+district+" END", "")
			}
		default:
			take(column, simple, differ)
		}
	}
	if len(m.plan.attributes) > 0 {
		take("attributes", "c.attributes || s.attributes", "NOT c.attributes @> s.attributes")
	}
	take("invented", "c.invented AND s.invented", "(c.invented AND NOT s.invented)")
	return `
UPDATE contact c
SET ` + strings.Join(set, ",\n    ") + `,
    import_id = $1, updated_at = now()
FROM import_row s
WHERE c.identity = s.identity
  AND (` + strings.Join(differs, "\n    OR ") + `)`
}

// newAge tells whether the file's age is news: a list that repeats last year's age of somebody who
// has turned a year older since says something else than the register does. Years are counted as the
// rules count them.
const newAge = `(s.age IS NOT NULL AND s.age IS DISTINCT FROM c.age + (4 * (s.age_on - c.age_on) + 3) / 1461)`

// fold joins the staged rows of one person into one, as if they had come one after the other.
func (m *importMerge) fold(ctx context.Context) error {
	insert, values := []string{"identity"}, []string{"d.identity"}
	for _, column := range append(slices.Clone(m.plan.cells), importConstants...) {
		insert = append(insert, column)
		values = append(values, fmt.Sprintf("(array_agg(d.%s ORDER BY d.ord DESC) FILTER (WHERE d.%[1]s IS NOT NULL))[1]", column))
	}
	join := ""
	if len(m.plan.attributes) > 0 {
		insert = append(insert, "attributes")
		values = append(values, "COALESCE(min(a.attributes::text)::jsonb, '{}')")
		join = `
LEFT JOIN (
    SELECT identity, jsonb_object_agg(e.key, e.value ORDER BY ord) AS attributes
    FROM twice, jsonb_each(twice.attributes) e
    GROUP BY identity
) a USING (identity)`
	}
	sql := `
WITH twice AS (
    DELETE FROM import_row
    WHERE identity IN (SELECT identity FROM import_row GROUP BY identity HAVING count(*) > 1)
    RETURNING *
)
INSERT INTO import_row (` + strings.Join(insert, ", ") + `)
SELECT ` + strings.Join(values, ",\n    ") + `
FROM twice d` + join + `
GROUP BY d.identity`
	if _, err := m.tx.Exec(ctx, sql); err != nil {
		return err
	}
	for _, where := range []string{"home", "current"} {
		if !slices.Contains(m.plan.cells, where+"_district") {
			continue
		}
		// The district of an earlier row goes when a later one moved to another state.
		_, err := m.tx.Exec(ctx, fmt.Sprintf(`
UPDATE import_row s
SET %[1]s_district = NULL
FROM place_district p
WHERE p.code = s.%[1]s_district AND p.state <> s.%[1]s_state`, where))
		if err != nil {
			return err
		}
	}
	return nil
}
