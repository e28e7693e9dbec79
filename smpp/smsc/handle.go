package smsc

import (
	"errors"

	"pukar/smpp/pdu"
)

// handle serves one unit and says whether the connection goes on. Centre.mu is held.
func (s *session) handle(h pdu.Header, body []byte) bool {
	c := s.centre
	switch h.ID {
	case pdu.SubmitSMID:
		if s.account == nil || s.command == pdu.BindReceiverID {
			return s.misplaced(h)
		}
		switch c.submit(s, h, body) {
		case cutBefore, cutAfter:
			return false
		}
		return true
	case pdu.DeliverSMRespID:
		if s.account == nil {
			return s.misplaced(h)
		}
		c.answered(s, h.Sequence, h.Status, s.now)
		return true
	case pdu.BindTransceiverID, pdu.BindTransmitterID, pdu.BindReceiverID:
		return c.bind(s, h, body)
	case pdu.EnquireLinkID:
		c.stats.EnquireAnswered++
		s.urgent = pdu.AppendHeaderOnly(s.urgent, pdu.EnquireLinkRespID, pdu.StatusOK, h.Sequence)
		return true
	case pdu.EnquireLinkRespID:
		return true
	case pdu.UnbindID:
		s.leaving = true
		s.release()
		s.urgent = pdu.AppendHeaderOnly(s.urgent, pdu.UnbindRespID, pdu.StatusOK, h.Sequence)
		return false
	case pdu.UnbindRespID:
		return false
	case pdu.GenericNackID:
		if s.account != nil {
			// Zero would be an acknowledgement, which a nack is not.
			c.answered(s, h.Sequence, max(h.Status, pdu.StatusInvalidMessageLength), s.now)
		}
		return true
	case pdu.QuerySMID:
		s.urgent = pdu.AppendHeaderOnly(s.urgent, pdu.QuerySMRespID, pdu.StatusQueryFailed, h.Sequence)
		return true
	}
	c.stats.ProtocolErrors++
	if !pdu.IsResponse(h.ID) {
		s.urgent = pdu.AppendHeaderOnly(s.urgent, pdu.GenericNackID, pdu.StatusInvalidCommandID, h.Sequence)
	}
	return true
}

// misplaced answers a request that the state of the connection does not allow.
func (s *session) misplaced(h pdu.Header) bool {
	s.centre.stats.ProtocolErrors++
	if !pdu.IsResponse(h.ID) {
		s.urgent = pdu.AppendHeaderOnly(s.urgent, pdu.ResponseID(h.ID), pdu.StatusIncorrectBindStatus, h.Sequence)
	}
	return true
}

// bind opens the session or refuses it, after which the connection is closed.
func (c *Centre) bind(s *session, h pdu.Header, body []byte) bool {
	var b pdu.Bind
	status := c.opts.BindStatus
	if err := b.Decode(body); err != nil {
		c.stats.ProtocolErrors++
		status = malformed(err)
	}
	if status == pdu.StatusOK {
		status = c.admit(s, &b)
	}
	if status == pdu.StatusAlreadyBound && s.account != nil {
		s.urgent = pdu.AppendHeaderOnly(s.urgent, pdu.ResponseID(h.ID), status, h.Sequence)
		return true
	}
	resp := pdu.BindResp{SystemID: c.opts.SystemID, TLVs: []pdu.TLV{{Tag: pdu.TagInterfaceVersion, Value: []byte{pdu.InterfaceVersion34}}}}
	s.urgent = resp.Append(s.urgent, pdu.ResponseID(h.ID), status, h.Sequence)
	if status != pdu.StatusOK {
		c.stats.BindsRefused++
		c.log.Info("bind refused", "system_id", b.SystemID, "command", h.ID.String(), "status", pdu.StatusName(status))
		return false
	}
	c.stats.BindsTotal++
	s.command = h.ID
	s.account = c.account(b.SystemID)
	s.bySequence = make(map[uint32]int32)
	s.account.sessions = append(s.account.sessions, s)
	c.log.Info("bound", "system_id", b.SystemID, "command", h.ID.String())
	return true
}

func (c *Centre) admit(s *session, b *pdu.Bind) pdu.Status {
	if s.account != nil {
		return pdu.StatusAlreadyBound
	}
	if c.opts.Credentials != nil {
		password, known := c.opts.Credentials[b.SystemID]
		switch {
		case !known:
			return pdu.StatusInvalidSystemID
		case password != b.Password:
			return pdu.StatusInvalidPassword
		}
	}
	if c.opts.MaxBinds > 0 {
		if a, ok := c.accounts[b.SystemID]; ok && len(a.sessions) >= c.opts.MaxBinds {
			return pdu.StatusAlreadyBound
		}
	}
	return pdu.StatusOK
}

// release moves the responses that are held back to where they are written at once. Centre.mu is held, as handle is called.
func (s *session) release() {
	s.urgent = append(s.urgent, s.answers...)
	s.answers, s.answered = s.answers[:0], 0
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.held {
		s.out = append(s.out, s.held[i].octets...)
		s.unanswered.Add(-int64(s.held[i].submits))
	}
	s.held = nil
}

// malformed is the status for a body that cannot be read.
func malformed(err error) pdu.Status {
	var format *pdu.FormatError
	if errors.As(err, &format) && format.Field == "optional parameter" {
		return pdu.StatusInvalidOptionalPart
	}
	return pdu.StatusInvalidCommandLength
}
