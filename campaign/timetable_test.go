package campaign

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// tableOf is the timetable of a schedule that must be right.
func tableOf(t testing.TB, s Schedule) *timetable {
	t.Helper()
	table, problems := s.complete().timetable()
	if len(problems) > 0 {
		t.Fatalf("%+v: %s", s, strings.Join(problems, "; "))
	}
	return table
}

// moment reads RFC 3339.
func moment(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestTimetable(t *testing.T) {
	t.Parallel()
	const newYork, berlin = "America/New_York", "Europe/Berlin"
	for _, tt := range []struct {
		name     string
		schedule Schedule
		after    string
		want     []string // RFC 3339, the first of them that come
		over     bool     // whether nothing comes after those
	}{
		{"every Monday, in Indian time", Schedule{Cron: "30 10 * * MON"}, "2026-11-22T00:00:00Z",
			[]string{"2026-11-23T10:30:00+05:30", "2026-11-30T10:30:00+05:30"}, false},
		{"a due time is not its own next", Schedule{Cron: "30 10 * * MON"}, "2026-11-23T10:30:00+05:30", []string{"2026-11-30T10:30:00+05:30"}, false},
		{"a moment before a due time", Schedule{Cron: "30 10 * * MON"}, "2026-11-23T10:29:59+05:30", []string{"2026-11-23T10:30:00+05:30"}, false},
		{"midnight", Schedule{Cron: "0 0 * * *"}, "2026-12-30T23:59:59+05:30",
			[]string{"2026-12-31T00:00:00+05:30", "2027-01-01T00:00:00+05:30"}, false},
		{"a minute before midnight", Schedule{Cron: "59 23 * * *"}, "2026-12-31T23:59:00+05:30", []string{"2027-01-01T23:59:00+05:30"}, false},
		{"the first of the month, from the end of one", Schedule{Cron: "0 10 1 * *"}, "2027-01-31T10:00:00+05:30",
			[]string{"2027-02-01T10:00:00+05:30", "2027-03-01T10:00:00+05:30"}, false},
		{"the 31st passes over short months", Schedule{Cron: "0 10 31 * *"}, "2027-01-31T10:00:00+05:30",
			[]string{"2027-03-31T10:00:00+05:30", "2027-05-31T10:00:00+05:30", "2027-07-31T10:00:00+05:30", "2027-08-31T10:00:00+05:30"}, false},
		{"the 30th passes over February", Schedule{Cron: "0 10 30 * *"}, "2027-01-30T10:00:00+05:30", []string{"2027-03-30T10:00:00+05:30"}, false},
		{"leap day", Schedule{Cron: "0 10 29 2 *"}, "2026-11-22T00:00:00+05:30",
			[]string{"2028-02-29T10:00:00+05:30", "2032-02-29T10:00:00+05:30"}, false},
		{"the day after 28 February 2028 is the 29th", Schedule{Cron: "0 10 * * *"}, "2028-02-28T10:00:00+05:30",
			[]string{"2028-02-29T10:00:00+05:30", "2028-03-01T10:00:00+05:30"}, false},
		{"of day of month and day of week either is enough", Schedule{Cron: "0 10 13 * FRI"}, "2026-11-10T00:00:00+05:30",
			[]string{"2026-11-13T10:00:00+05:30", "2026-11-20T10:00:00+05:30", "2026-11-27T10:00:00+05:30", "2026-12-04T10:00:00+05:30",
				"2026-12-11T10:00:00+05:30", "2026-12-13T10:00:00+05:30"}, false},
		{"steps", Schedule{Cron: "*/20 9-10 * * *"}, "2026-11-22T09:30:00+05:30",
			[]string{"2026-11-22T09:40:00+05:30", "2026-11-22T10:00:00+05:30", "2026-11-22T10:20:00+05:30", "2026-11-22T10:40:00+05:30", "2026-11-23T09:00:00+05:30"}, false},
		{"a short form", Schedule{Cron: "@daily"}, "2026-11-22T09:30:00+05:30", []string{"2026-11-23T00:00:00+05:30"}, false},

		{"from and until are whole days of the zone", Schedule{Cron: "0 0 * * *", From: "2026-12-01", Until: "2026-12-03"}, "2026-11-22T00:00:00+05:30",
			[]string{"2026-12-01T00:00:00+05:30", "2026-12-02T00:00:00+05:30", "2026-12-03T00:00:00+05:30"}, true},
		{"the last minute of until still counts", Schedule{Cron: "59 23 * * *", Until: "2026-12-01"}, "2026-11-30T23:59:00+05:30",
			[]string{"2026-12-01T23:59:00+05:30"}, true},
		{"from in another zone", Schedule{Cron: "0 0 * * *", Zone: newYork, From: "2026-12-01", Until: "2026-12-01"}, "2026-11-22T00:00:00Z",
			[]string{"2026-12-01T00:00:00-05:00"}, true},
		{"after until", Schedule{Cron: "0 10 * * *", Until: "2026-12-01"}, "2026-12-01T10:00:00+05:30", nil, true},
		{"once", Schedule{At: "2026-12-01T10:30"}, "2026-11-22T00:00:00Z", []string{"2026-12-01T10:30:00+05:30"}, true},
		{"once, and over", Schedule{At: "2026-12-01T10:30"}, "2026-12-01T10:30:00+05:30", nil, true},
		{"once in another zone", Schedule{At: "2026-12-01 10:30", Zone: newYork}, "2026-11-22T00:00:00Z", []string{"2026-12-01T10:30:00-05:00"}, true},
		{"once at a time that the clocks show twice: the first", Schedule{At: "2026-11-01T01:30", Zone: newYork}, "2026-10-01T00:00:00Z",
			[]string{"2026-11-01T01:30:00-04:00"}, true},

		{"summer time begins: 02:30 is skipped", Schedule{Cron: "30 2 * * *", Zone: newYork}, "2027-03-12T12:00:00-05:00",
			[]string{"2027-03-13T02:30:00-05:00", "2027-03-15T02:30:00-04:00"}, false},
		{"summer time ends: 01:30 comes twice, as two moments", Schedule{Cron: "30 1 * * *", Zone: newYork}, "2026-10-31T12:00:00-04:00",
			[]string{"2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", "2026-11-02T01:30:00-05:00"}, false},
		{"every hour through the end of summer time", Schedule{Cron: "0 * * * *", Zone: berlin}, "2026-10-25T01:30:00+02:00",
			[]string{"2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T03:00:00+01:00"}, false},
		{"a day that begins at 01:00", Schedule{Cron: "0 * * * *", Zone: "Asia/Beirut", From: "2027-03-28"}, "2027-03-01T00:00:00Z",
			[]string{"2027-03-28T01:00:00+03:00", "2027-03-28T02:00:00+03:00"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			most := len(tt.want)
			if tt.over {
				most++
			}
			var got []string
			table := tableOf(t, tt.schedule)
			for _, due := range table.coming(moment(t, tt.after), most, time.Time{}) {
				got = append(got, due.In(table.zone).Format(time.RFC3339))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever zone the server's machine is set to, and without zone data of its own, the due times are the same.
func TestTimetableOfAServerElsewhere(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	here := time.Local
	defer func() { time.Local = here }()
	time.Local = zone
	t.Setenv("TZ", "America/New_York")
	t.Setenv("ZONEINFO", t.TempDir())
	for _, s := range []Schedule{{Cron: "30 10 * * MON"}, {At: "2026-11-23T10:30"}} {
		due, ok := tableOf(t, s).after(time.Date(2026, 11, 22, 0, 0, 0, 0, time.Local))
		if want := moment(t, "2026-11-23T10:30:00+05:30"); !ok || !due.Equal(want) {
			t.Errorf("%s comes at %v, want %v", s, due, want)
		}
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	minutely, daily := tableOf(t, Schedule{Cron: "* * * * *"}), tableOf(t, Schedule{Cron: "0 10 * * *"})
	for _, tt := range []struct {
		name         string
		table        *timetable
		first, upto  string
		before, last string
		times        int
	}{
		{"one alone", daily, "2026-11-22T10:00:00+05:30", "2026-11-22T10:00:00+05:30", "", "2026-11-22T10:00:00+05:30", 1},
		{"one alone, and some time", daily, "2026-11-22T10:00:00+05:30", "2026-11-23T09:59:59+05:30", "", "2026-11-22T10:00:00+05:30", 1},
		{"two", daily, "2026-11-22T10:00:00+05:30", "2026-11-23T10:00:00+05:30", "2026-11-22T10:00:00+05:30", "2026-11-23T10:00:00+05:30", 2},
		{"a month", daily, "2026-11-01T10:00:00+05:30", "2026-11-30T23:00:00+05:30", "2026-11-29T10:00:00+05:30", "2026-11-30T10:00:00+05:30", 30},
		{"a year of minutes", minutely, "2026-11-22T10:00:00+05:30", "2027-11-22T10:00:30+05:30", "2027-11-22T09:59:00+05:30", "2027-11-22T10:00:00+05:30", maxCounted},
		{"a century of days", daily, "2026-11-22T10:00:00+05:30", "2126-11-22T09:00:00+05:30", "2126-11-20T10:00:00+05:30", "2126-11-21T10:00:00+05:30", maxCounted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := tt.table.span(moment(t, tt.first), moment(t, tt.upto))
			if !got.first.Equal(moment(t, tt.first)) || !got.last.Equal(moment(t, tt.last)) || got.times != tt.times ||
				(tt.before == "") != got.before.IsZero() || tt.before != "" && !got.before.Equal(moment(t, tt.before)) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestScheduleIsRefusedWithItsMend(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, key string
		want      []string
	}{
		{"neither", "{zone: Asia/Kolkata}", []string{"schedule.cron: give either cron", "or at"}},
		{"both", `{cron: "0 10 * * *", at: "2026-12-01T10:30"}`, []string{"give either cron"}},
		{"every", `{cron: "@every 90m"}`, []string{"no fixed times", "write five fields"}},
		{"seconds", `{cron: "0 30 10 * * MON"}`, []string{"seconds are not known", "write minute, hour"}},
		{"a zone in the cron", `{cron: "TZ=UTC 30 10 * * *"}`, []string{"the zone beside cron", "key zone"}},
		{"a broken zone in the cron", `{cron: "CRON_TZ=UTC"}`, []string{"the zone beside cron", "key zone"}},
		{"no such hour", `{cron: "30 25 * * *"}`, []string{"schedule.cron", "25", "write minute, hour"}},
		{"Sunday as 7", `{cron: "30 10 * * 7"}`, []string{"0 is Sunday"}},
		{"nonsense", `{cron: "whenever"}`, []string{"schedule.cron", "whenever"}},
		{"30 February", `{cron: "0 10 30 2 *"}`, []string{"never fires", "widen from and until, or correct it"}},
		{"a day outside the bounds", `{cron: "0 10 1 1 *", from: 2026-12-01, until: 2026-12-31}`, []string{"never fires"}},
		{"until before from", `{cron: "0 10 * * *", from: 2026-12-02, until: 2026-12-01}`, []string{"never fires"}},
		{"leap day in years without", `{cron: "0 10 29 2 *", from: 2026-12-01, until: 2027-12-01}`, []string{"never fires"}},
		{"once before from", `{at: "2026-12-01T10:30", from: 2026-12-02}`, []string{"schedule.at: it never fires"}},
		{"once after until", `{at: "2026-12-01T10:30", until: 2026-11-30}`, []string{"schedule.at: it never fires"}},
		{"no such zone", `{cron: "0 10 * * *", zone: Asia/Patna}`, []string{"schedule.zone", "Asia/Patna", "Asia/Kolkata"}},
		{"the server's zone", `{cron: "0 10 * * *", zone: Local}`, []string{"differs from server to server"}},
		{"a path for a zone", `{cron: "0 10 * * *", zone: ../../etc/passwd}`, []string{"schedule.zone"}},
		{"no such day", `{cron: "0 10 * * *", from: 2026-02-30}`, []string{"schedule.from", "write 2026-12-01"}},
		{"no day", `{cron: "0 10 * * *", until: tomorrow}`, []string{"schedule.until", "write 2026-12-01"}},
		{"no time", `{at: noon}`, []string{"schedule.at", "write 2026-12-01T10:30"}},
		{"a time that is skipped", `{at: "2027-03-14T02:30", zone: America/New_York}`, []string{"does not exist in America/New_York", "choose another time"}},
		{"catch_up", `{cron: "0 10 * * *", catch_up: twice}`, []string{"schedule.catch_up", "write skip", "once"}},
		{"overlap", `{cron: "0 10 * * *", overlap: run}`, []string{"schedule.overlap", "write skip", "queue"}},
		{"an unknown key", `{crom: "0 10 * * *"}`, []string{"crom"}},
		{"several at once", `{cron: "x", from: y, catch_up: z}`, []string{"schedule.cron", "schedule.from", "schedule.catch_up"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(campaignFile("a", "schedule: "+tt.key))
			wants(t, err, ErrInvalid, tt.want...)
		})
	}
}

func TestParseReadsASchedule(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]Schedule{
		`{cron: "30 10 * * MON"}`: {Cron: "30 10 * * MON", Zone: "Asia/Kolkata", CatchUp: "skip", Overlap: "skip"},
		`{at: 2026-12-01T10:30}`:  {At: "2026-12-01T10:30", Zone: "Asia/Kolkata", CatchUp: "skip", Overlap: "skip"},
		`{cron: "30 10 * * MON", zone: Europe/Berlin, from: 2026-12-01, until: 2027-03-31, catch_up: once, overlap: queue}`: {
			Cron: "30 10 * * MON", Zone: "Europe/Berlin", From: "2026-12-01", Until: "2027-03-31", CatchUp: "once", Overlap: "queue",
		},
	} {
		spec, err := Parse(campaignFile("a", "schedule: "+key))
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		if diff := cmp.Diff(&want, spec.Schedule); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
	if spec, err := Parse(campaignFile("a")); err != nil || spec.Schedule != nil {
		t.Errorf("without a schedule: %+v, %v", spec, err)
	}
}

// What is given at the scheduling goes before the file, and one kind of schedule replaces the other.
func TestScheduleOverTheFile(t *testing.T) {
	t.Parallel()
	file := Schedule{Cron: "30 10 * * MON", Zone: "Europe/Berlin", From: "2026-12-01", CatchUp: "once", Overlap: "queue"}
	got := Schedule{At: "2026-12-05T10:30", CatchUp: "skip"}.over(file).complete()
	want := Schedule{At: "2026-12-05T10:30", Zone: "Europe/Berlin", From: "2026-12-01", CatchUp: "skip", Overlap: "queue"}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if all := (Schedule{}).over(file); all != file {
		t.Errorf("got %+v", all)
	}
	if list := tableOf(t, file).coming(noon, 3, moment(t, "2026-12-15T00:00:00Z")); !slices.IsSortedFunc(list, time.Time.Compare) || len(list) != 2 {
		t.Errorf("before the 15th come %v", list)
	}
}
