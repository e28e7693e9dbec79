package api

// RetryRequest says whom a retry writes to.
type RetryRequest struct {
	States   []string `json:"states" minItems:"1" enum:"failed,rejected,expired,unknown,no_receipt" doc:"How the newest attempt ended for those who are written to again"`
	Run      int32    `json:"run,omitempty" minimum:"0" doc:"Number of the first run whose people are tried again; 0 is the newest"`
	Expected int64    `json:"expected,omitempty" doc:"Refuse unless this many would be written to, as the plan said"`
}

// RetryPlan says what a retry would do, before anything is sent.
type RetryPlan struct {
	Plan
	RetryOf   int32       `json:"retry_of" doc:"Number of the first run"`
	ByOutcome []PlanCount `json:"by_outcome" doc:"People targeted by how their newest attempt ended"`
}
