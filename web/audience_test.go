package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pukar/web/api"
	"pukar/web/client"
)

const peopleCSV = `Mobile No,name,language,age,occupation,home_state,home_district,consent_sms
9812345601,Asha Devi,hi,30,construction,BR,Patna,yes
9812345602,Ravi Kumar,hi,17,construction,BR,Gaya,yes
9812345603,Mina Khatun,bn,41,garments,WB,,
12,Nobody,hi,20,construction,BR,Patna,yes
`

func importPeople(t *testing.T, s bundle) api.ImportResult {
	t.Helper()
	result, err := s.Import(t.Context(), strings.NewReader(peopleCSV), client.ImportOptions{
		Source: "drive", FileName: "people.csv", Map: map[string]string{"Mobile No": "msisdn"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestImportStreamsResultAndRejects(t *testing.T) {
	t.Parallel()
	s := setup(t)
	var rejects bytes.Buffer
	result, err := s.Import(t.Context(), strings.NewReader(peopleCSV), client.ImportOptions{
		Source: "drive", FileName: "people.csv", Map: map[string]string{"Mobile No": "msisdn"}, Rejects: &rejects,
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.Read != 4 || result.Inserted != 3 || result.Refused != 1 || len(result.Refusals) != 1 || result.Import == 0 {
		t.Errorf("result %+v", result)
	}
	if !strings.Contains(rejects.String(), "Nobody") {
		t.Errorf("rejects %q", &rejects)
	}
	again := importPeople(t, s)
	if again.Unchanged != 3 || again.Inserted+again.Updated != 0 {
		t.Errorf("the same file again: %+v", again)
	}
	events, err := s.AuditEvents(t.Context(), 0, 10)
	if err != nil || len(events.Events) != 2 || events.Events[0].Action != "audience.import" {
		t.Errorf("audit: %+v, %v", events, err)
	}
}

func TestDryImportKeepsNothing(t *testing.T) {
	t.Parallel()
	s := setup(t)
	result, err := s.Import(t.Context(), strings.NewReader(peopleCSV), client.ImportOptions{
		FileName: "people.csv", Map: map[string]string{"Mobile No": "msisdn"}, DryRun: true,
	})
	if err != nil || result.Inserted != 3 || !result.DryRun {
		t.Fatalf("%+v, %v", result, err)
	}
	n, err := s.Count(t.Context(), api.Cohort{All: true})
	if err != nil || n.Count != 0 {
		t.Errorf("count %+v, %v", n, err)
	}
	if events, err := s.AuditEvents(t.Context(), 0, 10); err != nil || len(events.Events) != 0 {
		t.Errorf("audit: %+v, %v", events, err)
	}
}

func TestImportOfAFileThatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for name, file := range map[string]string{
		"no number column": "name,age\nAsha,30\n",
		"empty":            "",
		"not UTF-8":        "msisdn,name\n9812345601,Asha\n9812345602,\xff\xfe\n",
	} {
		_, err := s.Import(t.Context(), strings.NewReader(file), client.ImportOptions{FileName: "bad.csv"})
		problemAs(t, err, http.StatusUnprocessableEntity, api.CodeInvalid)
		if n, err := s.Count(t.Context(), api.Cohort{All: true}); err != nil || n.Count != 0 {
			t.Errorf("%s: half-done: %+v, %v", name, n, err)
		}
	}
}

// A file that is still being sent while the answer is being read must not stall either side.
func TestImportOfManyRefusedRowsAnswersWhileItReads(t *testing.T) {
	t.Parallel()
	s := setup(t)
	reader, writer := io.Pipe()
	go func() {
		_, err := io.WriteString(writer, "msisdn,name\n")
		for i := 0; i < 50_000 && err == nil; i++ {
			_, err = fmt.Fprintf(writer, "%d,%s\n", i, strings.Repeat("x", 40))
		}
		_ = writer.CloseWithError(err)
	}()
	var rejects bytes.Buffer
	result, err := s.Import(t.Context(), reader, client.ImportOptions{FileName: "bad.csv", Rejects: &rejects})
	if err != nil {
		t.Fatal(err)
	}
	if result.Refused != 50_000 || bytes.Count(rejects.Bytes(), []byte("\n")) != 50_001 {
		t.Errorf("refused %d, rejects of %d lines", result.Refused, bytes.Count(rejects.Bytes(), []byte("\n")))
	}
}

// A file that is refused by its first line must not be sent to its end, and its connection not be used again.
func TestImportRefusedEarlyEndsEarly(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for range 20 {
		endless := io.MultiReader(strings.NewReader("name,age\n"), repeat("Asha,30\n"))
		_, err := s.Import(t.Context(), endless, client.ImportOptions{FileName: "endless.csv"})
		problemAs(t, err, http.StatusUnprocessableEntity, api.CodeInvalid)
		if _, err := s.Count(t.Context(), api.Cohort{All: true}); err != nil {
			t.Fatal(err)
		}
	}
}

// Whoever hangs up in the middle of an import leaves nothing of it.
func TestImportThatIsCutOffKeepsNothing(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	file := io.MultiReader(strings.NewReader("msisdn,name\n9812345601,Asha\n"), readerFunc(func(p []byte) (int, error) {
		cancel()
		<-ctx.Done()
		return 0, ctx.Err()
	}))
	if _, err := s.Import(ctx, file, client.ImportOptions{FileName: "cut.csv"}); err == nil {
		t.Fatal("the import ended well")
	}
	result := importPeople(t, s) // waits for the other to be gone
	if result.Inserted != 3 {
		t.Errorf("after it: %+v", result)
	}
}

// readerFunc is a reader made of a function.
type readerFunc func(p []byte) (int, error)

// Read calls the function.
func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// repeat gives the text without end.
func repeat(text string) io.Reader {
	block := []byte(strings.Repeat(text, 1000))
	return readerFunc(func(p []byte) (int, error) { return copy(p, block), nil })
}

func TestCountPreviewExplain(t *testing.T) {
	t.Parallel()
	s := setup(t)
	importPeople(t, s)
	n, err := s.Count(t.Context(), api.Cohort{Where: "age >= 18 && occupation == 'construction'"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(api.Count{Count: 1, Eligible: 1, NotEligible: 2}, n); diff != "" {
		t.Errorf("count (-want +got):\n%s", diff)
	}
	preview, err := s.Preview(t.Context(), api.PreviewRequest{Cohort: api.Cohort{Home: []string{"BR"}}})
	if err != nil || len(preview.People) != 2 || preview.People[0].MSISDN != "91******5601" {
		t.Errorf("preview %+v, %v", preview, err)
	}
	preview, err = s.Preview(t.Context(), api.PreviewRequest{Cohort: api.Cohort{Home: []string{"BR"}}, Numbers: "full", Limit: 1})
	if err != nil || len(preview.People) != 1 || preview.People[0].MSISDN != "919812345601" {
		t.Errorf("preview with numbers %+v, %v", preview, err)
	}
	explained, err := s.Explain(t.Context(), api.ExplainRequest{Cohort: api.Cohort{Where: "age >= 18"}, MSISDN: "9812345602"})
	if err != nil || len(explained.People) != 1 || explained.People[0].Targeted || len(explained.People[0].Clauses) != 1 {
		t.Errorf("explained %+v, %v", explained, err)
	}
	_, err = s.Explain(t.Context(), api.ExplainRequest{Cohort: api.Cohort{All: true}, MSISDN: "9812345699"})
	problemAs(t, err, http.StatusNotFound, api.CodeNotFound)
}

func TestCohortMistakes(t *testing.T) {
	t.Parallel()
	s := setup(t)
	tests := []struct {
		name   string
		cohort api.Cohort
		says   string
	}{
		{"nothing", api.Cohort{}, "all: true"},
		{"unknown scheme", api.Cohort{Scheme: "onrc"}, "onorc"},
		{"unknown place", api.Cohort{Home: []string{"Atlantis"}}, "Atlantis"},
		{"rule of another type", api.Cohort{Where: "age == 'old'"}, "where"},
		{"unknown field", api.Cohort{Where: "shoe_size > 3"}, "shoe_size"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := s.Count(t.Context(), tt.cohort)
			problem := problemAs(t, err, http.StatusUnprocessableEntity, api.CodeInvalid)
			if !strings.Contains(problem.Detail, tt.says) {
				t.Errorf("%q does not say %q", problem.Detail, tt.says)
			}
		})
	}
}
