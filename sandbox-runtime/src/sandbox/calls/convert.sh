# Converts one document in the room. Arguments: recipe, input, output; for pandoc also from and to.
# Tells the paths of what it made, one a line. Status 97: a program is missing, which is named with its package.
set -euo pipefail
recipe=$1 input=$2 output=$3
work=$(mktemp -d /tmp/convert-XXXXXXXX)
trap 'rm -rf "$work"' EXIT

need() {
  command -v "$1" >/dev/null || { printf 'missing %s %s\n' "$1" "$2" >&2; exit 97; }
}
# A path as the address of a file.
address() {
  local LC_ALL=C path=$1 i c
  printf 'file://'
  for ((i = 0; i < ${#path}; i++)); do
    c=${path:i:1}
    case $c in [a-zA-Z0-9/._~-]) printf '%s' "$c" ;; *) printf '%%%02X' "'$c" ;; esac
  done
}
# A program that printed nothing useful still says why it failed.
quiet() {
  # The script itself is on standard input.
  "$@" </dev/null >"$work/said" 2>&1 || { tail -c 2000 "$work/said" >&2; exit 1; }
}
keep() {
  [ -s "$1" ] || { tail -c 2000 "$work/said" >&2; echo 'nothing came of it: the document may be damaged' >&2; exit 1; }
  mkdir -p "$(dirname "$2")"
  mv -fT "$1" "$2"
  printf '%s\n' "$2"
}
print_page() {
  need chromium chromium
  # The room is the fence here: it runs any code anyway, and gives Chromium no namespaces for one of its own.
  quiet chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --disable-extensions \
    --user-data-dir="$work/profile" --no-pdf-header-footer --virtual-time-budget=5000 \
    --print-to-pdf="$work/out.pdf" "$1"
}
# Puts pictures into the page itself; the option has another name before pandoc 2.19.
embed() {
  case $(pandoc --help) in *--embed-resources*) echo --embed-resources ;; *) echo --self-contained ;; esac
}
markdown_page() {
  need pandoc pandoc
  quiet pandoc -f gfm -t html5 -s "$(embed)" --resource-path="$(dirname "$input")" \
    --metadata pagetitle="$(basename "$input")" -o "$work/page.html" "$input"
}
office() {
  need soffice libreoffice
  mkdir "$work/made"
  # A profile of its own: two runs that share one wait for each other for ever.
  quiet soffice -env:UserInstallation="file://$work/profile" --headless --norestore --nolockcheck --nodefault \
    --nofirststartwizard "$@" --convert-to pdf --outdir "$work/made" "$input"
  mv "$work"/made/*.pdf "$work/out.pdf" 2>/dev/null || true
}

: >"$work/said"
export HOME="$work"
case $recipe in
  page) print_page "$(address "$input")" && keep "$work/out.pdf" "$output" ;;
  picture)
    printf '<!doctype html><meta charset="utf-8"><style>@page{margin:12mm}body{margin:0}img{max-width:100%%;max-height:96vh}</style><img src="%s">' \
      "$(address "$input")" >"$work/page.html"
    print_page "$(address "$work/page.html")" && keep "$work/out.pdf" "$output"
    ;;
  markdown) markdown_page && print_page "$(address "$work/page.html")" && keep "$work/out.pdf" "$output" ;;
  pandoc)
    need pandoc pandoc
    options=(-f "$4" -t "$5" --resource-path="$(dirname "$input")")
    [ "$5" != html5 ] || options+=(-s "$(embed)" --metadata pagetitle="$(basename "$input")")
    quiet pandoc "${options[@]}" -o "$work/out" "$input"
    keep "$work/out" "$output"
    ;;
  office) office && keep "$work/out.pdf" "$output" ;;
  values) office --infilter='CSV:44,34,76,1' && keep "$work/out.pdf" "$output" ;;
  pages)
    need pdftoppm poppler-utils
    mkdir "$work/made"
    quiet pdftoppm -png -r 110 -l 200 "$input" "$work/made/page"
    pages=("$work"/made/*.png)
    [ -e "${pages[0]}" ] || keep "$work/none" "$output"
    if [ ${#pages[@]} -eq 1 ]; then
      keep "${pages[0]}" "$output"
    else
      for page in "${pages[@]}"; do
        name=${page##*/page-}
        keep "$page" "${output%.png}-${name}"
      done
    fi
    ;;
  text)
    need pdftotext poppler-utils
    quiet pdftotext -layout -enc UTF-8 "$input" "$work/out"
    # A scan has no text: an empty file says so.
    mkdir -p "$(dirname "$output")"
    mv -fT "$work/out" "$output"
    printf '%s\n' "$output"
    ;;
esac
