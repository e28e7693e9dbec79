package main

// message is what is sent, and how many parts each takes.
type message struct {
	template string
	parts    int64 // of every message
}

// messages are what --message chooses from. Both are filled in for each person, and neither leaves anybody out.
var messages = map[string]message{
	"short": {parts: 1, template: `name: bench
category: service
header: HELPLN
dlt: {entity_id: "1101172974420810001"}
variables:
  - {field: home_district, default: your home}
fallback_language: en
languages:
  en:
    template_id: "1107172974420810002"
    text: "Your ration card from {#alphanumeric#} now works in every state. Free help: 1800-891-2995"
`},
	"hindi": {parts: 3, template: `name: bench
category: service
header: HELPLN
dlt: {entity_id: "1101172974420810001"}
variables:
  - {field: name, default: साथी}
  - {field: home_district, default: गाँव}
fallback_language: hi
languages:
  hi:
    template_id: "1107172974420810001"
    text: "नमस्ते {#alphanumeric#}, {#alphanumeric#} का आपका राशन कार्ड अब हर राज्य में चलता है। पास की राशन दुकान पर कार्ड नंबर और आधार दिखाएँ। मुफ़्त जानकारी: 1800-891-2995"
`},
}

// campaignSource is the campaign: everybody, at any hour, as fast as it goes.
const campaignSource = `name: bench
purpose: to measure
audience: {all: true}
steps:
  - sms: {template: bench, route: main}
window: {days: sun-sat, from: "00:00", to: "24:00"}
priority: bulk
`

// serverConfig is the server's configuration: one route with one bind to the simulator and no limit. All that is not said, the
// private servers' durability first, is as operators get it.
const serverConfig = `routes:
  - name: main
    binds:
      - {addr: %q, system_id: bench, password: bench, type: transceiver, window: %d, parts_per_second: 0}
    parts_per_second: 0
    inr_per_part: "0.1450"
    simulated: true
    centre: bench
    header: HELPLN
    dlt: {entity_id: "1101172974420810001"}
`
