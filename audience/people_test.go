package audience

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/internal/testenv"
)

// register gives a database with the places and some people, each a list of
// columns and values in SQL: "msisdn=919800000001, age=30".
func register(t testing.TB, people ...string) *pgxpool.Pool {
	t.Helper()
	db := testenv.DB(t)
	if err := LoadPlaces(context.Background(), db); err != nil {
		t.Fatal(err)
	}
	for i, person := range people {
		columns := []string{"identity", "msisdn_key", "source", "import_id"}
		values := []string{"gen_random_uuid()", fmt.Sprint(i), "'test'", "1"}
		if !strings.Contains(person, "msisdn=") {
			columns, values = append(columns, "msisdn"), append(values, fmt.Sprint(919800000001+i))
		}
		for assignment := range strings.SplitSeq(person, ", ") {
			if column, value, ok := strings.Cut(assignment, "="); ok {
				columns, values = append(columns, column), append(values, value)
			}
		}
		sql := "INSERT INTO contact (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(values, ", ") + ")"
		if _, err := db.Exec(context.Background(), sql); err != nil {
			t.Fatalf("%s: %v", person, err)
		}
	}
	return db
}
