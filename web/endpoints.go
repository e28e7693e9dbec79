package web

// registerEndpoints adds the endpoints, one for each command.
func (s *Server) registerEndpoints() {
}
