package api

// StopAllRequest stops everything.
type StopAllRequest struct {
	Reason string `json:"reason" maxLength:"1000" doc:"Why, for the record and for whoever finds it stopped; needed"`
}

// StopAllResult says what was stopped, and by whom where that was somebody else.
type StopAllResult struct {
	Reason     string `json:"reason"`
	Actor      string `json:"actor"`
	At         Time   `json:"at" doc:"Since when"`
	Already    bool   `json:"already" doc:"It was in force before"`
	PausedRuns int    `json:"paused_runs" doc:"How many runs this paused"`
	Complete   bool   `json:"complete" doc:"Every run is marked as paused; until then nothing is sent all the same"`
}

// ResumeAllRequest lets everything go on after stop-all or a restore.
type ResumeAllRequest struct {
	AfterRestore bool `json:"after_restore,omitempty" doc:"Say that the data is older than what was sent, and that this was looked into"`
}

// ResumeAllResult says what goes on.
type ResumeAllResult struct {
	Resumed  []ResumedRun `json:"resumed" doc:"The runs that stop-all or the restore had paused and that go on"`
	Messages int          `json:"messages" doc:"How many single messages go on beside them"`
	Held     string       `json:"held,omitempty" doc:"What still keeps everything from going on, and how that is mended"`
}

// ResumedRun is a run that goes on.
type ResumedRun struct {
	Campaign string `json:"campaign"`
	Kind     string `json:"kind" doc:"campaign or test"`
	Run      int32  `json:"run" doc:"Number within the campaign's runs or its tests"`
}
