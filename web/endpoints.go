package web

// registerEndpoints adds the endpoints, one for each command.
func (s *Server) registerEndpoints() {
	s.registerImports()
	s.registerAudience()
	s.registerOptOuts()
	s.registerTemplates()
	s.registerCampaigns()
	s.registerRoutes()
	s.registerInbound()
	s.registerAudit()
}
