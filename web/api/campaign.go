package api

// Totals counts the recipients of a run, each in exactly one state.
type Totals struct {
	Pending    int64 `json:"pending" doc:"Untouched, in flight, or to be tried again"`
	Suppressed int64 `json:"suppressed" doc:"Said stop after the run was frozen"`
	Skipped    int64 `json:"skipped" doc:"Cancelled, out of the window, or not to be rendered"`
	Unknown    int64 `json:"unknown" doc:"It cannot be known whether the message left"`
	Rejected   int64 `json:"rejected" doc:"Refused by the message centre for good"`
	Sent       int64 `json:"sent" doc:"Accepted; the receipt is awaited"`
	Delivered  int64 `json:"delivered"`
	Failed     int64 `json:"failed"`
	Expired    int64 `json:"expired"`
	NoReceipt  int64 `json:"no_receipt" doc:"Accepted, and no receipt came in time"`
}

// Sum is how many recipients there are.
func (t Totals) Sum() int64 {
	return t.Pending + t.Suppressed + t.Skipped + t.Unknown + t.Rejected + t.Sent + t.Delivered + t.Failed + t.Expired + t.NoReceipt
}

// CampaignStatus says where a campaign stands: before its first launch, then its newest run.
type CampaignStatus struct {
	Name          string  `json:"name"`
	State         string  `json:"state" doc:"draft, submitted, approved, scheduled, running, pausing, paused, settling, done, ending, cancelling, cancelled or failed"`
	Run           int32   `json:"run" doc:"Number of the newest run; 0 before the first"`
	RetryOf       int32   `json:"retry_of,omitempty" doc:"Number of the run some of whose people this run tries again"`
	Kind          string  `json:"kind,omitempty" doc:"campaign or test"`
	Route         string  `json:"route,omitempty"`
	Priority      string  `json:"priority,omitempty"`
	Targeted      int64   `json:"targeted" doc:"People whom the cohort picked: recipients and excluded"`
	Recipients    int64   `json:"recipients" doc:"People frozen into the run"`
	Excluded      int64   `json:"excluded" doc:"People targeted and left out"`
	Totals        Totals  `json:"totals" doc:"Where the recipients stand; adds up to recipients"`
	RatePerSecond float64 `json:"rate_per_second" doc:"Messages a second, of late; only in a watch"`
	WaitingUntil  *Time   `json:"waiting_until,omitempty" doc:"When the window opens, while the run waits for it"`
	Why           string  `json:"why,omitempty" doc:"Why it is paused, cancelled or failed, or cannot send now"`
	Held          string  `json:"held,omitempty" doc:"What keeps every campaign from going on, stop-all or a restore, and how that is mended"`
	BudgetINR     string  `json:"budget_inr,omitempty" doc:"What all runs of the campaign may spend, in rupees; only with caps.budget_inr"`
	SpentINR      string  `json:"spent_inr,omitempty" doc:"What they have spent: parts accepted, and parts that may have left"`
	SnapshotHash  string  `json:"snapshot_hash,omitempty" doc:"Hash over the frozen recipients, in hexadecimal"`
	ForecastEnd   *Time   `json:"forecast_finishes_at,omitempty" doc:"When the plan at the launch expected the end"`
	StartedAt     *Time   `json:"started_at,omitempty"`
	FinishedAt    *Time   `json:"finished_at,omitempty"`
	NextFiring    *Time   `json:"next_firing,omitempty" doc:"When it fires next, while a schedule is in force"`
	LastFiring    *Firing `json:"last_firing,omitempty" doc:"The newest due time of its schedule, and what became of it"`
}

// Ended says whether nothing will happen any more by itself.
func (s CampaignStatus) Ended() bool {
	switch s.State {
	case "done", "cancelled", "failed":
		return true
	}
	return false
}

// CampaignSummary is one campaign in a list.
type CampaignSummary struct {
	Name       string `json:"name"`
	State      string `json:"state"`
	Run        int32  `json:"run"`
	Recipients int64  `json:"recipients"`
	UpdatedAt  Time   `json:"updated_at"`
	NextFiring *Time  `json:"next_firing,omitempty" doc:"When it fires next, while a schedule is in force"`
}

// CampaignList is every campaign.
type CampaignList struct {
	Campaigns []CampaignSummary `json:"campaigns"`
	Held      string            `json:"held,omitempty" doc:"What keeps every campaign from going on, and how that is mended"`
}

// Campaign is a campaign as it is kept.
type Campaign struct {
	Name        string `json:"name"`
	Stage       string `json:"stage" doc:"How far it got before its first run: draft, submitted, approved, scheduled or launched"`
	Source      string `json:"source" doc:"The YAML as it was given"`
	Actor       string `json:"actor" doc:"Who created it"`
	SubmittedBy string `json:"submitted_by,omitempty"`
	ApprovedBy  string `json:"approved_by,omitempty"`
	CreatedAt   Time   `json:"created_at"`
	UpdatedAt   Time   `json:"updated_at"`
}

// Plan says what a launch would do, before anything is sent.
type Plan struct {
	Name            string         `json:"name"`
	Template        string         `json:"template"`
	TemplateVersion int            `json:"template_version"`
	Category        string         `json:"category" doc:"Of the template; decides the legal window"`
	Route           string         `json:"route"`
	Targeted        int64          `json:"targeted" doc:"People whom the cohort picks: recipients and excluded"`
	Recipients      int64          `json:"recipients" doc:"People who would be written to"`
	Excluded        int64          `json:"excluded" doc:"People who would be left out"`
	UnknownLeftOut  int64          `json:"unknown_left_out" doc:"People whose eligibility is unknown and who are not targeted"`
	ByState         []PlanCount    `json:"by_state" doc:"Recipients by home state"`
	ByLanguage      []PlanCount    `json:"by_language" doc:"Recipients by the language they get"`
	ByReason        []PlanCount    `json:"by_reason" doc:"Excluded by reason"`
	Parts           int64          `json:"parts" doc:"Parts on the wire"`
	CostINR         string         `json:"cost_inr" doc:"Price in rupees"`
	PartsPerSecond  float64        `json:"parts_per_second" doc:"Rate that the forecast reckons with"`
	Window          string         `json:"window" doc:"When it may send"`
	DrainSeconds    float64        `json:"drain_seconds" doc:"How long before the window's end submission stops, so that messages reach the handset in time"`
	StartsAt        *Time          `json:"starts_at,omitempty" doc:"When the first message would leave"`
	FinishesAt      *Time          `json:"finishes_at,omitempty" doc:"When the last would, by rates and windows"`
	Samples         []CampaignText `json:"samples" doc:"One message for each language"`
	NotRendered     int64          `json:"not_rendered" doc:"Recipients whose values do not fit the registered template"`
	NotRenderedWhy  string         `json:"not_rendered_why,omitempty"`
	Warnings        []string       `json:"warnings" doc:"What should be looked at before the launch"`
}

// PlanCount is how many people share a value.
type PlanCount struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// CampaignText is one message of a campaign, as an example.
type CampaignText struct {
	Language string `json:"language"`
	Text     string `json:"text"`
	Encoding string `json:"encoding"`
	Parts    int    `json:"parts"`
}

// LaunchRequest starts a campaign.
type LaunchRequest struct {
	Again    bool  `json:"again,omitempty" doc:"Start it though it ran before"`
	Expected int64 `json:"expected,omitempty" doc:"Refuse unless this many would be written to, as the plan said"`
}

// TestRequest sends a campaign's message to one listed test number.
type TestRequest struct {
	MSISDN   string `json:"msisdn" doc:"A number of test_numbers"`
	Language string `json:"language,omitempty" doc:"In which language; by default that of the person with the number, else the template's fallback"`
}

// ResumeRequest lets a campaign go on.
type ResumeRequest struct {
	Why       string `json:"why,omitempty" doc:"Not used"`
	BudgetINR string `json:"budget_inr,omitempty" doc:"The whole new budget in rupees, more than the present one"`
}

// WhyRequest moves a campaign, with a reason for the record.
type WhyRequest struct {
	Why string `json:"why,omitempty" doc:"Reason, for the record"`
}

// Bind is one connection to a message centre.
type Bind struct {
	Name        string `json:"name"`
	State       string `json:"state" doc:"connecting, bound, waiting or closed"`
	Since       *Time  `json:"since,omitempty"`
	Reason      string `json:"reason,omitempty" doc:"Why it is not bound"`
	Outstanding int    `json:"outstanding" doc:"Submits whose response is awaited"`
	Window      int    `json:"window" doc:"How many may be"`
}

// Route is a way out.
type Route struct {
	Name           string  `json:"name"`
	Header         string  `json:"header"`
	PartsPerSecond float64 `json:"parts_per_second" doc:"0: no limit"`
	INRPerPart     string  `json:"inr_per_part,omitempty"`
	Receipts       bool    `json:"receipts"`
	DrainSeconds   float64 `json:"drain_seconds" doc:"How long before a window's end submission stops: by the time that messages took of late to reach the handset"`
	DrainSamples   int64   `json:"drain_samples" doc:"Receipts that the drain time was measured by, older ones counted less; below 20 it is assumed"`
	Simulated      bool    `json:"simulated"`
	Bound          bool    `json:"bound" doc:"Whether any bind is up"`
	Binds          []Bind  `json:"binds"`
}

// RouteList is every route.
type RouteList struct {
	Routes []Route `json:"routes"`
}

// InboundRequest is a message or missed call that a gateway received for us.
type InboundRequest struct {
	Kind string `json:"kind" enum:"sms,missed_call" doc:"What came"`
	From string `json:"from" doc:"Whose phone"`
	To   string `json:"to" maxLength:"64" doc:"The number or header that it came to; of a missed call, one that the configuration has under inbound"`
	Text string `json:"text,omitempty" maxLength:"4096" doc:"The words of an sms"`
	ID   string `json:"id,omitempty" maxLength:"200" doc:"The gateway's identifier: the same one again changes nothing"`
}

// InboundResult says what followed.
type InboundResult struct {
	Stored   bool   `json:"stored" doc:"Committed: it will not be lost"`
	Effect   string `json:"effect" doc:"stop, start or none"`
	Repeated bool   `json:"repeated,omitempty" doc:"The identifier was known: nothing changed"`
}
