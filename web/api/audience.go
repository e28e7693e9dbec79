package api

// Cohort is a rule that picks people: every part that is given narrows it.
type Cohort struct {
	Scheme      string   `json:"scheme,omitempty" doc:"Scheme by whose rule people are judged, as onorc"`
	Eligibility string   `json:"eligibility,omitempty" enum:"eligible,unknown,both" doc:"Which of them: eligible (default), unknown or both"`
	Home        []string `json:"home,omitempty" doc:"Home states or districts: BR, Bihar, 10, JH/Ranchi"`
	Language    []string `json:"language,omitempty" doc:"Languages by code or name"`
	Where       string   `json:"where,omitempty" doc:"Rule in CEL, as age >= 18 && occupation == 'construction'"`
	All         bool     `json:"all,omitempty" doc:"Everybody; needed where nothing else narrows"`
}

// Count is how many people a cohort has, by what its rules say of them.
type Count struct {
	Count       int64 `json:"count" doc:"People whom a campaign with this cohort would target"`
	Eligible    int64 `json:"eligible" doc:"Of those whom home and language pick, the ones who satisfy scheme and rule"`
	NotEligible int64 `json:"not_eligible" doc:"Of the same, the ones who do not"`
	Unknown     int64 `json:"unknown" doc:"Of the same, the ones of whom too little is known to say"`
}

// PreviewRequest asks for some people of a cohort.
type PreviewRequest struct {
	Cohort
	Limit   int    `json:"limit,omitempty" minimum:"1" maximum:"1000" doc:"How many people, 20 unless told"`
	Numbers string `json:"numbers,omitempty" enum:"masked,full" doc:"Whether numbers are masked (default) or full, which only the local administrator may ask for"`
}

// Person is a contact as previews show one.
type Person struct {
	Contact      int64  `json:"contact" doc:"Number of the contact in the register"`
	MSISDN       string `json:"msisdn" doc:"Phone number, masked unless asked for in full"`
	Name         string `json:"name" doc:"Empty where unknown"`
	Language     string `json:"language" doc:"Code; empty where unknown"`
	HomeState    string `json:"home_state" doc:"Abbreviation; empty where unknown"`
	HomeDistrict string `json:"home_district" doc:"Name; empty where unknown"`
	Eligibility  string `json:"eligibility" doc:"eligible, not_eligible or unknown"`
	Why          string `json:"why" doc:"What decided, in words"`
}

// Preview is some people of a cohort.
type Preview struct {
	People []Person `json:"people"`
}

// ExplainRequest asks how a cohort judges one person.
type ExplainRequest struct {
	Cohort
	MSISDN string `json:"msisdn" doc:"The person's phone number"`
}

// Clause is one condition of a cohort and what it says of a person.
type Clause struct {
	Source string `json:"source" doc:"Where the condition comes from: home, language, criterion, exclusion or where"`
	ID     string `json:"id" doc:"Of the scheme's clause, else made from the source"`
	Rule   string `json:"rule" doc:"The condition as written"`
	EN     string `json:"en" doc:"The condition in English"`
	HI     string `json:"hi" doc:"The condition in Hindi"`
	Answer string `json:"answer" doc:"true speaks for the person, false against, unknown neither"`
	Why    string `json:"why" doc:"The values that it asks for"`
}

// Explanation is how a cohort judges the people with one number.
type Explanation struct {
	People []ExplainedPerson `json:"people" doc:"The contacts that have the number"`
}

// ExplainedPerson is one contact and the conditions that decide about it.
type ExplainedPerson struct {
	Person
	Targeted bool     `json:"targeted" doc:"Whether the cohort picks the person"`
	Clauses  []Clause `json:"clauses" doc:"The conditions one by one"`
}

// ImportProgress says how far an import is.
type ImportProgress struct {
	Stage     string `json:"stage" doc:"waiting while another import runs, then reading, then finishing"`
	Bytes     int64  `json:"bytes" doc:"How much of the file was read"`
	Read      int64  `json:"read" doc:"Rows that have reached the database or were refused"`
	Inserted  int64  `json:"inserted" doc:"People new to the register"`
	Updated   int64  `json:"updated" doc:"People whose facts changed"`
	Unchanged int64  `json:"unchanged" doc:"People who were known as they are"`
	Refused   int64  `json:"refused" doc:"Rows refused"`
}

// ImportResult is what an import did, or would do when it was dry. read is inserted, updated, unchanged and refused together.
type ImportResult struct {
	Import       int64           `json:"import,omitempty" doc:"Number of the import; absent after a dry run"`
	DryRun       bool            `json:"dry_run" doc:"Whether nothing was kept"`
	Bytes        int64           `json:"bytes" doc:"Length of the file"`
	Read         int64           `json:"read" doc:"Rows read"`
	Inserted     int64           `json:"inserted" doc:"People new to the register"`
	Updated      int64           `json:"updated" doc:"People whose facts changed"`
	Unchanged    int64           `json:"unchanged" doc:"People who were known as they are"`
	Refused      int64           `json:"refused" doc:"Rows refused; the rejects have them with their reasons"`
	Warned       int64           `json:"warned" doc:"Rows taken without one or more of their values; the rejects have them too"`
	Refusals     []ImportProblem `json:"refusals" doc:"Why rows were refused, the most frequent reason first"`
	Warnings     []ImportProblem `json:"warnings" doc:"Which values were left out, the most frequent reason first"`
	MoreRefusals int64           `json:"more_refusals,omitempty" doc:"Rows refused for further reasons"`
	MoreWarnings int64           `json:"more_warnings,omitempty" doc:"Values left out for further reasons"`
	Notes        []string        `json:"notes" doc:"About the file as a whole"`
	SHA256       string          `json:"sha256,omitempty" doc:"Hash of the file, in hexadecimal"`
}

// ImportProblem is one reason and the rows it concerns.
type ImportProblem struct {
	Column string  `json:"column,omitempty" doc:"Header of the column; absent where the row as a whole is meant"`
	Reason string  `json:"reason"`
	Count  int64   `json:"count" doc:"Rows"`
	Lines  []int64 `json:"lines" doc:"The first lines of the file that it concerns"`
}

// ImportEvent is one line of the answer to an import: exactly one member is there.
type ImportEvent struct {
	Progress *ImportProgress `json:"progress,omitempty" doc:"How far it is"`
	Rejects  []byte          `json:"rejects,omitempty" doc:"The next piece of the CSV of refused rows, in base64"`
	Result   *ImportResult   `json:"result,omitempty" doc:"What it did; the last line"`
	Problem  *Problem        `json:"problem,omitempty" doc:"Why it stopped; the last line"`
}
