package audience

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// modelPerson is what the register should have of a person after some files.
type modelPerson struct{ Number, Name, State, District, Consent, Trade, Village string }

// then adds what a newer row knows.
func (p modelPerson) then(r modelPerson) modelPerson {
	if r.State != "" && p.State != "" && r.State != p.State {
		p.District = "" // it lies in the older state
	}
	return modelPerson{
		Number: cmp.Or(r.Number, p.Number), Name: cmp.Or(r.Name, p.Name), State: cmp.Or(r.State, p.State), District: cmp.Or(r.District, p.District),
		Consent: cmp.Or(r.Consent, p.Consent), Trade: cmp.Or(r.Trade, p.Trade), Village: cmp.Or(r.Village, p.Village),
	}
}

// TestImportLikeModel imports random files of few people and many repetitions with tiny chunks, so
// that rows of one person meet in a chunk, across chunks and across files, and holds the register and
// the counts to a model in memory.
func TestImportLikeModel(t *testing.T) {
	t.Parallel()
	b := setupImport(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		source := fmt.Sprintf("model-%d", round)
		register := map[string]modelPerson{}
		for range rapid.IntRange(1, 4).Draw(rt, "files") {
			var file strings.Builder
			file.WriteString("source_id,msisdn,name,home_state,home_district,consent_sms,trade,home_village\n")
			merged := map[string]modelPerson{}
			// A file that contradicts itself about somebody's state has no right answer; between files
			// people do move.
			states := map[string]string{}
			for _, id := range []string{"a", "b", "c"} {
				states[id] = rapid.SampledFrom([]string{"10", "20"}).Draw(rt, "state of "+id)
			}
			rows := rapid.IntRange(0, 9).Draw(rt, "rows")
			for range rows {
				id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "id")
				r := modelPerson{
					Number:  rapid.SampledFrom([]string{"919812345678", "919812345679"}).Draw(rt, "number"),
					Name:    rapid.SampledFrom([]string{"", "Sita", "Sita Devi"}).Draw(rt, "name"),
					State:   rapid.SampledFrom([]string{"", states[id]}).Draw(rt, "state"),
					Consent: rapid.SampledFrom([]string{"", "true", "false"}).Draw(rt, "consent"),
					Trade:   rapid.SampledFrom([]string{"", "mason", `"q" \ é`}).Draw(rt, "trade"),
					Village: rapid.SampledFrom([]string{"", "Pipra"}).Draw(rt, "village"),
				}
				switch r.State {
				case "10":
					r.District = rapid.SampledFrom([]string{"", "212", "196"}).Draw(rt, "district")
				case "20":
					r.District = rapid.SampledFrom([]string{"", "339"}).Draw(rt, "district")
				}
				fmt.Fprintf(&file, "%s,%s,%s,%s,%s,%s,\"%s\",%s\n", id, r.Number, r.Name, r.State, r.District, r.Consent, strings.ReplaceAll(r.Trade, `"`, `""`), r.Village)
				merged[id] = merged[id].then(r)
			}
			var inserted, updated int64
			for id, r := range merged {
				before, known := register[id]
				register[id] = before.then(r)
				if !known {
					inserted++
				} else if register[id] != before {
					updated++
				}
			}
			res, err := Import(t.Context(), b.pool, b.key, strings.NewReader(file.String()), ImportOptions{Source: source, Now: importDay, chunk: rapid.IntRange(1, 5).Draw(rt, "chunk")})
			if err != nil {
				rt.Fatal(err)
			}
			want := []int64{int64(rows), inserted, updated, int64(rows) - inserted - updated, 0}
			if diff := gocmp.Diff(want, []int64{res.Read, res.Inserted, res.Updated, res.Unchanged, res.Refused}); diff != "" {
				rt.Fatalf("read, inserted, updated, unchanged, refused: %s\n%s", diff, file.String())
			}
			var wantPeople []string
			for id, p := range register {
				wantPeople = append(wantPeople, id+fmt.Sprint(p, b.key.Number(parseTestNumber(p.Number))))
			}
			slices.Sort(wantPeople)
			people, err := b.pool.Query(t.Context(), `
SELECT source_id, msisdn::text, COALESCE(name, ''), COALESCE(home_state::text, ''), COALESCE(home_district::text, ''), COALESCE(consent_sms::text, ''),
       COALESCE(attributes->>'trade', ''), COALESCE(home_village, ''), msisdn_key
FROM contact WHERE source = $1`, source)
			if err != nil {
				rt.Fatal(err)
			}
			var got []string
			for people.Next() {
				var id string
				var p modelPerson
				var key int64
				if err := people.Scan(&id, &p.Number, &p.Name, &p.State, &p.District, &p.Consent, &p.Trade, &p.Village, &key); err != nil {
					rt.Fatal(err)
				}
				got = append(got, id+fmt.Sprint(p, key))
			}
			slices.Sort(got)
			if diff := gocmp.Diff(wantPeople, got); diff != "" {
				rt.Fatalf("%s\n%s", diff, file.String())
			}
		}
	})
}

func parseTestNumber(s string) int64 {
	n, err := ParseNumber(s)
	if err != nil {
		panic(err)
	}
	return n
}
