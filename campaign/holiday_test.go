package campaign

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pukar/audience"
)

// shipped are the calendars that come with the program.
func shipped(t testing.TB) *Holidays {
	t.Helper()
	h, err := LoadHolidays("")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// wholeDays is every hour of the given days.
func wholeDays(days string) Window {
	d, err := parseDays(days)
	if err != nil {
		panic(err)
	}
	return Window{Days: d, To: day}
}

func keeping(w Window, calendars string, h *Holidays) Window {
	w.Holidays = calendars
	return w.Keeping(h)
}

// 2026-11-08 is a Sunday and Diwali; 2026-11-24, a Tuesday, is Guru Nanak's birthday; 2026-12-25 a Friday.
func TestWindowKeepsHolidays(t *testing.T) {
	t.Parallel()
	h := shipped(t)
	courtesy := CourtesyWindow()
	always := wholeDays("sun-sat")
	leap := &Holidays{last: 2028, years: map[yearOf]CalendarYear{{National, 2028}: {}}, days: map[date][]Holiday{
		{2028, time.February, 29}: {{Calendar: National, Name: "a leap day"}},
		{2028, time.December, 31}: {{Calendar: National, Name: "the last day"}},
	}}
	tests := []struct {
		name   string
		window Window
		at     string
		opens  string // "" when open at once
		closes string
	}{
		{"the day before", keeping(courtesy, "national", h), "2026-11-23 18:59:59", "", "2026-11-23 19:00:00"},
		{"the holiday itself", keeping(courtesy, "national", h), "2026-11-24 12:00:00", "2026-11-25 10:00:00", "2026-11-25 19:00:00"},
		{"no calendar is named", courtesy, "2026-11-24 12:00:00", "", "2026-11-24 19:00:00"},
		{"a state's own holiday", keeping(courtesy, "BR", h), "2026-11-10 12:00:00", "2026-11-11 10:00:00", "2026-11-11 19:00:00"},
		{"that is none nationally", keeping(courtesy, "national", h), "2026-11-10 12:00:00", "", "2026-11-10 19:00:00"},
		{"a national one that is none of the state's", keeping(courtesy, "KA", h), "2026-11-24 12:00:00", "", "2026-11-24 19:00:00"},
		{"both together", keeping(courtesy, "national,KA", h), "2026-11-24 12:00:00", "2026-11-25 10:00:00", "2026-11-25 19:00:00"},
		{"a state keeps the three national days", keeping(courtesy, "KA", h), "2026-10-02 12:00:00", "2026-10-03 10:00:00", "2026-10-03 19:00:00"},
		{"a Sunday before a holiday", keeping(courtesy, "BR", h), "2026-11-14 19:00:00", "2026-11-17 10:00:00", "2026-11-17 19:00:00"}, // Chhath on Sunday and Monday
		{"a holiday before a Sunday", keeping(courtesy, "MH", h), "2026-08-14 19:00:00", "2026-08-17 10:00:00", "2026-08-17 19:00:00"},
		{"midnight into a holiday", keeping(always, "national", h), "2026-11-23 23:59:59", "", "2026-11-24 00:00:00"},
		{"the first second of a holiday", keeping(always, "national", h), "2026-11-24 00:00:00", "2026-11-25 00:00:00", "2026-12-25 00:00:00"},
		{"the last second of a holiday", keeping(always, "national", h), "2026-11-24 23:59:59", "2026-11-25 00:00:00", "2026-12-25 00:00:00"},
		{"weeks of whole days end at a holiday", keeping(always, "national", h), "2026-12-01 12:00:00", "", "2026-12-25 00:00:00"},
		{"the month's end", keeping(courtesy, "HP", h), "2026-01-31 19:00:00", "2026-02-02 10:00:00", "2026-02-02 19:00:00"},
		{"the year's end", keeping(courtesy, "national", h), "2026-12-31 19:00:00", "2027-01-01 10:00:00", "2027-01-01 19:00:00"},
		{"a year's first day that is a holiday", keeping(courtesy, "TN", h), "2026-12-31 19:00:00", "2027-01-02 10:00:00", "2027-01-02 19:00:00"},
		{"a leap day that is a holiday", keeping(courtesy, "national", leap), "2028-02-28 20:00:00", "2028-03-01 10:00:00", "2028-03-01 19:00:00"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, zone := range []*time.Location{India, time.UTC, time.FixedZone("far", -10*3600)} { // the server's own zone
				at := ist(test.at).In(zone)
				if _, open := test.window.Open(at); open != (test.opens == "") {
					t.Errorf("open at %s: %v", at, open)
				}
				opens, err := test.window.Next(at)
				if err != nil {
					t.Fatal(err)
				}
				if test.opens != "" && !opens.Equal(ist(test.opens)) {
					t.Errorf("opens %s, want %s", opens.In(India), test.opens)
				}
				if closes, open := test.window.Open(opens); !open || !closes.Equal(ist(test.closes)) {
					t.Errorf("closes %s, want %s", closes.In(India), test.closes)
				}
			}
		})
	}
}

func TestAYearWithoutCalendarsIsClosed(t *testing.T) {
	t.Parallel()
	h := shipped(t)
	w := keeping(wholeDays("sun-sat"), "national", h)
	if closes, open := w.Open(ist("2027-12-31 23:00:00")); !open || !closes.Equal(ist("2028-01-01 00:00:00")) {
		t.Errorf("the last known day closes %s (%v)", closes.In(India), open)
	}
	if _, open := w.Open(ist("2028-01-03 12:00:00")); open {
		t.Error("it is open in a year whose holidays nobody knows")
	}
	_, err := w.Next(ist("2028-01-03 12:00:00"))
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "2028") || !strings.Contains(err.Error(), "holidays/2028.yaml") {
		t.Errorf("Next answers %v, want the mend", err)
	}
	if _, err := w.Finish(ist("2027-12-31 00:00:00"), 48*time.Hour); err == nil {
		t.Error("an end was promised beyond what is known")
	}
	// Named calendars that nobody brought keep it closed too.
	if _, open := keeping(AlwaysWindow(), "national", nil).Open(noon); open {
		t.Error("it is open although its calendars are missing")
	}
	if _, err := keeping(AlwaysWindow(), "national", nil).Next(noon); err == nil {
		t.Error("it is to open although its calendars are missing")
	}
}

func TestHolidaysThatShip(t *testing.T) {
	t.Parallel()
	h := shipped(t)
	if years := h.Years(); !slices.Equal(years, []int{2026, 2027}) {
		t.Errorf("years %v", years)
	}
	names := []string{National}
	for _, state := range audience.KnownPlaces().States() {
		names = append(names, state.Abbreviation)
	}
	for _, name := range names {
		for year := 2026; year <= 2027; year++ {
			known, ok := h.Year(name, year)
			if !ok || known.Source == "" || known.Complete == (known.Note != "") {
				t.Errorf("%s %d: %+v: the source is to be said, and what is missing where it is not whole", name, year, known)
			}
			days := h.In(year, name)
			for _, d := range days {
				if d.Source == "" || d.Name == "" || d.Date.Year() != year || !d.Date.Equal(dateOf(d.Date).midnight()) {
					t.Errorf("%+v", d)
				}
				if strings.Contains(strings.ToLower(d.Name), "id-ul-fitr") && d.Certain {
					t.Errorf("%s %d: %s hangs on the moon", name, year, d.Name)
				}
			}
			for _, fixed := range []string{"01-26", "08-15", "10-02"} {
				at := strings.Join([]string{time.Date(year, 1, 1, 0, 0, 0, 0, India).Format("2006"), fixed}, "-")
				if !slices.ContainsFunc(days, func(d Holiday) bool { return dateOf(d.Date).String() == at }) {
					t.Errorf("%s lacks the national day %s", name, at)
				}
			}
		}
	}
	if known, _ := h.Year(National, 2026); !known.Complete || len(h.In(2026, National)) != 17 {
		t.Errorf("the memorandum for 2026 names 17 days: %+v has %d", known, len(h.In(2026, National)))
	}
}

// homeWith writes files into a folder of holidays.
func homeWith(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "holidays")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestAnInstallationCorrectsHolidays(t *testing.T) {
	t.Parallel()
	h, err := LoadHolidays(homeWith(t, map[string]string{
		"2026.yaml": `
year: 2026
calendars:
  national:
    source: "DoPT O.M. of 24 August 2026"
    days:
      - {date: 2026-08-26, remove: true}
      - {date: 2026-08-27, name: Milad-un-Nabi}
      - {date: 2026-11-24, name: "Guru Nanak's Birthday, moved"}
`,
		"2028.yaml": "year: 2028\ncalendars:\n  BR: {source: gazette, complete: true, days: [{date: 2028-02-29, name: a leap day}]}\n",
		"notes.txt": "not a calendar",
	}))
	if err != nil {
		t.Fatal(err)
	}
	w := keeping(CourtesyWindow(), "national", h)
	for at, open := range map[string]bool{"2026-08-26 12:00:00": true, "2026-08-27 12:00:00": false, "2026-11-24 12:00:00": false, "2026-12-25 12:00:00": false} {
		if _, is := w.Open(ist(at)); is != open {
			t.Errorf("%s: open %v, want %v", at, is, open)
		}
	}
	if got, off := w.Holiday(ist("2026-11-24 12:00:00")); !off || got.Name != "Guru Nanak's Birthday, moved" || got.Source != "DoPT O.M. of 24 August 2026" || !got.Certain {
		t.Errorf("the corrected day is %+v", got)
	}
	if known, _ := h.Year(National, 2026); known.Days != 17 {
		t.Errorf("%d days are left", known.Days)
	}
	if _, open := keeping(CourtesyWindow(), "BR", h).Open(ist("2028-03-01 12:00:00")); !open {
		t.Error("a year that the installation brought is closed")
	}
	if _, err := LoadHolidays(filepath.Join(t.TempDir(), "none")); err != nil {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestFaultyHolidaysAreRefused(t *testing.T) {
	t.Parallel()
	head := "year: 2027\ncalendars:\n  national:\n    source: s\n    days:\n"
	for name, test := range map[string]struct {
		file, text string
		want       []string
	}{
		"another year in the file":    {"2027.yaml", "year: 2026\n", []string{"2027.yaml", "2026"}},
		"a name that is no year":      {"next.yaml", "year: 2027\n", []string{"next.yaml", "name it after its year"}},
		"a calendar that is none":     {"2027.yaml", "year: 2027\ncalendars:\n  XX: {}\n", []string{"calendars.XX", "BR"}},
		"a state by its name":         {"2027.yaml", "year: 2027\ncalendars:\n  Bihar: {}\n", []string{"calendars.Bihar"}},
		"a day that does not exist":   {"2027.yaml", head + "      - {date: 2027-02-29, name: x}\n", []string{"line 6", "2027-02-29"}},
		"a day of another year":       {"2027.yaml", head + "      - {date: 2026-02-28, name: x}\n", []string{"line 6", "does not lie in 2027"}},
		"a day without a name":        {"2027.yaml", head + "      - {date: 2027-02-28}\n", []string{"line 6", "name"}},
		"a day without a source":      {"2027.yaml", "year: 2027\ncalendars:\n  national:\n    days:\n      - {date: 2027-02-28, name: x}\n", []string{"line 5", "source"}},
		"an unknown key":              {"2027.yaml", head + "      - {date: 2027-02-28, name: x, sure: true}\n", []string{"line 6", "sure"}},
		"an unknown key of the file":  {"2027.yaml", "year: 2027\ncalendar: {}\n", []string{"line 2", "calendar"}},
		"a removal of what is no day": {"2027.yaml", head + "      - {date: 2027-02-28, remove: true}\n", []string{"line 6", "nothing to remove"}},
		"broken YAML":                 {"2027.yaml", "year: [", []string{"2027.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := LoadHolidays(homeWith(t, map[string]string{test.file: test.text}))
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("got %v, want ErrInvalid", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func TestHolidaysInACampaignFile(t *testing.T) {
	t.Parallel()
	base := "name: a\npurpose: b\naudience: {all: true}\nsteps: [{sms: {template: t, route: r}}]\n"
	for text, want := range map[string]string{
		"national": "national", "BR": "BR", "[national, BR, MH]": "national,BR,MH", `"national, BR"`: "national,BR", "br": "BR", "[BR, BR]": "BR", `""`: "",
	} {
		spec, err := Parse([]byte(base + "window: {holidays: " + text + "}\nunfinished: end\n"))
		if err != nil || spec.Window.Holidays != want || spec.Window.From != 10*time.Hour || spec.Unfinished != "end" {
			t.Errorf("%s: %+v, %v; want %q", text, spec, err, want)
		}
	}
	err := shipped(t).check("national,XX")
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), `"XX"`) || !strings.Contains(err.Error(), "national, AN, AP") {
		t.Errorf("an unknown calendar: %v", err)
	}
}

// TestTheWindowOfOldRunsIsRead reads what the release before this one wrote into run.spec.
func TestTheWindowOfOldRunsIsRead(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	run := d.launch(t, "old").RunID
	d.exec(t, `UPDATE run SET spec = (spec - 'unfinished')
	           || '{"window": {"Days": [false, true, true, true, true, true, true], "From": 36000000000000, "To": 68400000000000}}' WHERE id = $1`, run)
	got, err := d.office.ledger.Run(t.Context(), run)
	if err != nil || got.Spec.Window != CourtesyWindow() || got.Window("service", shipped(t)).Holidays != "" || got.Ends() {
		t.Errorf("%+v, %v", got, err)
	}
}
