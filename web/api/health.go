package api

// Health says that a server answers and which it is.
type Health struct {
	Status    string `json:"status" doc:"ok"`
	Version   string `json:"version" doc:"Version of the program"`
	StartedAt Time   `json:"started_at" doc:"When the server started"`
}
