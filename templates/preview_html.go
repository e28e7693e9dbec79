package templates

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed preview.html
var previewSource string

var previewPage = template.Must(template.New("preview").
	Funcs(template.FuncMap{"add": func(a, b int) int { return a + b }}).Parse(previewSource))

// PreviewHTML writes one page with every language as a phone shows it, where it is cut into parts, what it costs, and the
// template's warnings. The page needs nothing from elsewhere and runs no script, so that it can be sent to a translator.
func PreviewHTML(w io.Writer, t *Template, previews []Preview) error {
	data := struct {
		Template *Template
		Previews []Preview
		Warnings []string
	}{t, previews, t.Warnings()}
	if err := previewPage.Execute(w, data); err != nil {
		return fmt.Errorf("write preview of template %s: %w", t.Name, err)
	}
	return nil
}
