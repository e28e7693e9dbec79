package web

// registerEndpoints adds the endpoints, one for each command.
func (s *Server) registerEndpoints() {
	s.registerImports()
	s.registerAudience()
	s.registerOptOuts()
	s.registerOptOutImport()
	s.registerTemplates()
	s.registerTemplatePreview()
	s.registerCampaigns()
	s.registerSchedules()
	s.registerStopAll()
	s.registerMessages()
	s.registerReports()
	s.registerRoutes()
	s.registerHolidays()
	s.registerInbound()
	s.registerAudit()
	s.registerBackup()
}
