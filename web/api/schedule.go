package api

// ScheduleRequest says how a campaign is scheduled. What is left out is as in the campaign's file.
type ScheduleRequest struct {
	Cron    string `json:"cron,omitempty" maxLength:"200" doc:"Minute, hour, day of month, month, day of week; in the place of at"`
	At      string `json:"at,omitempty" maxLength:"40" doc:"2026-12-01T10:30 by the clocks of the zone; in the place of cron"`
	Zone    string `json:"zone,omitempty" maxLength:"100" doc:"Name of the time zone; Asia/Kolkata unless told"`
	From    string `json:"from,omitempty" maxLength:"10" doc:"First day on which it fires"`
	Until   string `json:"until,omitempty" maxLength:"10" doc:"Last day on which it fires"`
	CatchUp string `json:"catch_up,omitempty" maxLength:"10" doc:"skip leaves out what was missed, once fires the latest of it"`
	Overlap string `json:"overlap,omitempty" maxLength:"10" doc:"While the run before is sending: skip leaves the firing out, queue lets one wait"`
	Again   bool   `json:"again,omitempty" doc:"Although the campaign ran before"`
}

// Schedule is a schedule that is in force.
type Schedule struct {
	Name       string   `json:"name" doc:"Of the campaign"`
	Cron       string   `json:"cron,omitempty"`
	At         string   `json:"at,omitempty"`
	Zone       string   `json:"zone"`
	From       string   `json:"from,omitempty"`
	Until      string   `json:"until,omitempty"`
	CatchUp    string   `json:"catch_up"`
	Overlap    string   `json:"overlap"`
	Next       []Time   `json:"next" doc:"The next due times, at most five"`
	Recipients int64    `json:"recipients" doc:"People who would be written to as of now; each firing freezes its own"`
	Parts      int64    `json:"parts"`
	Warnings   []string `json:"warnings"`
}

// Firing is what became of a due time, or of a row of due times that were missed.
type Firing struct {
	Campaign  string `json:"campaign"`
	DueAt     Time   `json:"due_at"`
	LastDueAt *Time  `json:"last_due_at,omitempty" doc:"Where it stands for several missed due times: the last of them"`
	Times     int32  `json:"times" doc:"How many due times it stands for, counted up to 10,000"`
	State     string `json:"state" doc:"fired, skipped, failed or queued"`
	Reason    string `json:"reason,omitempty"`
	Run       int32  `json:"run,omitempty" doc:"Number of the run that it made"`
	DecidedAt Time   `json:"decided_at"`
}

// ComingFiring is a firing that is to come, with its forecast.
type ComingFiring struct {
	Campaign   string `json:"campaign"`
	DueAt      Time   `json:"due_at"`
	Queued     bool   `json:"queued,omitempty" doc:"It was due, and waits for the run before it"`
	StartsAt   *Time  `json:"starts_at,omitempty" doc:"When the window is open first"`
	FinishesAt *Time  `json:"finishes_at,omitempty" doc:"When it would end, by the parts of the last plan"`
	Recipients int64  `json:"recipients" doc:"By the plan of the last firing, or of the scheduling"`
	Parts      int64  `json:"parts"`
	Note       string `json:"note,omitempty" doc:"Why there is no forecast, or on which holiday it is due"`
}

// Calendar is what will fire and what fired.
type Calendar struct {
	Coming []ComingFiring `json:"coming"`
	Past   []Firing       `json:"past"`
	More   bool           `json:"more" doc:"There are more than it shows"`
}
