package api

// ResumeAllRequest lets everything go on after a restore.
type ResumeAllRequest struct {
	AfterRestore bool `json:"after_restore,omitempty" doc:"Say that the data is older than what was sent, and that this was looked into"`
}

// ResumeAllResult says what goes on.
type ResumeAllResult struct {
	Resumed []ResumedRun `json:"resumed" doc:"The runs that the restore had paused and that go on"`
}

// ResumedRun is a run that goes on.
type ResumedRun struct {
	Campaign string `json:"campaign"`
	Kind     string `json:"kind" doc:"campaign or test"`
	Run      int32  `json:"run" doc:"Number within the campaign's runs or its tests"`
}
