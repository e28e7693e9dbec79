package smpp

import (
	"encoding/csv"
	"strings"
	"testing"
)

func TestEveryDLTErrorHasAMeaningAndAMend(t *testing.T) {
	t.Parallel()
	rows, err := csv.NewReader(strings.NewReader(dltCodes)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		code, mend := row[0], row[1]
		e, known := LookUpDLT(" 0" + code)
		if !known || seen[code] || e.Code != code || e.Meaning == "" {
			t.Errorf("code %s: %+v, known: %v, twice: %v", code, e, known, seen[code])
		}
		seen[code] = true
		ours := mend != "recipient" && mend != "later"
		if (e.Mend != "") != ours || (e.Class == ClassConfiguration) != ours {
			t.Errorf("code %s, %q: class %s, mend %q", code, mend, e.Class, e.Mend)
		}
	}
	if len(seen) < 130 {
		t.Errorf("only %d codes", len(seen))
	}
	if e, known := LookUpDLT("001"); known {
		t.Errorf("a network's own code is taken for %+v", e)
	}
}
