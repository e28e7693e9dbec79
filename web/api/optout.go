package api

// OptOutRequest records that somebody said stop.
type OptOutRequest struct {
	MSISDN   string `json:"msisdn" doc:"The person's phone number"`
	Scope    string `json:"scope,omitempty" enum:"all,sms,call" doc:"What is stopped: all (default), sms or call"`
	Purpose  string `json:"purpose,omitempty" doc:"The one purpose that is stopped; every purpose unless told"`
	Source   string `json:"source,omitempty" enum:"operator,agent,complaint,keyword,missed_call,ivr" doc:"How it became known, operator unless told"`
	Evidence string `json:"evidence,omitempty" doc:"What proves it: the words of the message, the number of the letter"`
}

// OptOutAdded says whether a stop was new.
type OptOutAdded struct {
	MSISDN string `json:"msisdn" doc:"The number, masked"`
	Added  bool   `json:"added" doc:"false: the same stop was in force already"`
}

// LiftRequest ends stops of one number.
type LiftRequest struct {
	MSISDN string `json:"msisdn" doc:"The person's phone number"`
	Scope  string `json:"scope,omitempty" enum:"all,sms,call" doc:"Which stops; every scope unless told"`
	Why    string `json:"why" minLength:"1" doc:"Why they end: the evidence of the new consent"`
}

// OptOutLifted says how many stops were ended.
type OptOutLifted struct {
	MSISDN string `json:"msisdn" doc:"The number, masked"`
	Lifted int    `json:"lifted" doc:"Stops that were in force"`
}

// OptOut is one stop.
type OptOut struct {
	ID        int64  `json:"id"`
	MSISDN    string `json:"msisdn" doc:"Phone number, masked unless asked for in full; empty once the person was erased"`
	Scope     string `json:"scope" doc:"all, sms or call"`
	Purpose   string `json:"purpose,omitempty" doc:"The one purpose that is stopped; empty for every purpose"`
	Source    string `json:"source" doc:"How it became known"`
	Evidence  string `json:"evidence,omitempty" doc:"What proves it"`
	Actor     string `json:"actor" doc:"Who recorded it"`
	AddedAt   Time   `json:"added_at"`
	LiftedAt  *Time  `json:"lifted_at,omitempty" doc:"When it ended; absent while it is in force"`
	LiftedBy  string `json:"lifted_by,omitempty"`
	LiftedWhy string `json:"lifted_why,omitempty"`
}

// OptOutList is a page of stops, newest first.
type OptOutList struct {
	OptOuts []OptOut `json:"optouts"`
	Next    int64    `json:"next,omitempty" doc:"Give as before to get the next page; absent on the last"`
}

// OptOutCheck says whether a number may be contacted.
type OptOutCheck struct {
	MSISDN     string   `json:"msisdn" doc:"The number, masked"`
	Suppressed bool     `json:"suppressed" doc:"Whether any stop is in force"`
	OptOuts    []OptOut `json:"optouts" doc:"The stops in force, oldest first"`
}

// NumberRequest names a person by phone number.
type NumberRequest struct {
	MSISDN string `json:"msisdn" doc:"The phone number"`
}
