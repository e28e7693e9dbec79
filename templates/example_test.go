package templates_test

import (
	"fmt"

	"pukar/smpp/coding"
	"pukar/templates"
)

func ExampleTemplate_Render() {
	template, err := templates.Parse([]byte(`
name: camp
category: service
header: HELPLN
dlt: {entity_id: "1101172974420810001"}
variables: [{field: name, default: साथी}]
languages:
  hi: {template_id: "1107172974420810001", text: "नमस्ते {#alphanumeric#}, शिविर कल है।"}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	text, id, err := template.Render(template.Language("bho"), []string{""})
	if err != nil {
		fmt.Println(err)
		return
	}
	encoding, units, parts := coding.Count(text)
	fmt.Println(text, id)
	fmt.Println(encoding, units, parts)
	// Output:
	// नमस्ते साथी, शिविर कल है। 1107172974420810001
	// ucs2 25 1
}
