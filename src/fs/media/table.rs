//! The media types that are built in: those a web or file server meets often, as IANA registers them where it does.

/// A line for each type: the type, then its extensions, in lower case, each after one space. Any order; no extension
/// twice. `text/javascript` is what RFC 9239 asks for.
pub(super) const LINES: &str = "\
application/atom+xml atom
application/dash+xml mpd
application/epub+zip epub
application/geo+json geojson
application/gzip gz tgz
application/java-archive jar war ear
application/json json map
application/json5 json5
application/jsonl jsonl ndjson
application/ld+json jsonld
application/manifest+json webmanifest
application/msword doc dot
application/octet-stream bin img dmg exe dll so msi msp msm efi fw
application/ogg ogx
application/pdf pdf
application/pgp-encrypted pgp
application/pgp-keys asc
application/pgp-signature sig
application/pkcs10 p10 csr
application/pkix-cert cer
application/pkix-crl crl
application/postscript ps eps ai
application/rdf+xml rdf owl
application/rss+xml rss
application/rtf rtf
application/schema+json schema
application/sql sql
application/toml toml
application/vnd.android.package-archive apk
application/vnd.apple.mpegurl m3u8
application/vnd.debian.binary-package deb udeb
application/vnd.google-earth.kml+xml kml
application/vnd.google-earth.kmz kmz
application/vnd.ms-cab-compressed cab
application/vnd.ms-excel xls xlt
application/vnd.ms-fontobject eot
application/vnd.ms-powerpoint ppt pps
application/vnd.oasis.opendocument.graphics odg
application/vnd.oasis.opendocument.presentation odp
application/vnd.oasis.opendocument.spreadsheet ods
application/vnd.oasis.opendocument.text odt
application/vnd.openxmlformats-officedocument.presentationml.presentation pptx
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx
application/vnd.openxmlformats-officedocument.wordprocessingml.document docx
application/vnd.rar rar
application/vnd.sqlite3 sqlite sqlite3
application/wasm wasm
application/x-7z-compressed 7z
application/x-bittorrent torrent
application/x-bzip2 bz2
application/x-cpio cpio
application/x-iso9660-image iso
application/x-lz4 lz4
application/x-lzip lz
application/x-lzma lzma
application/x-opkg ipk
application/x-pkcs12 p12 pfx
application/x-qemu-disk qcow2
application/x-rpm rpm
application/x-sh sh
application/x-subrip srt
application/x-tar tar
application/x-virtualbox-vdi vdi
application/x-x509-ca-cert crt der pem
application/x-xz xz txz
application/xhtml+xml xhtml xht
application/xml xml xsd xsl
application/xml-dtd dtd
application/xslt+xml xslt
application/yaml yaml yml
application/zip zip
application/zstd zst tzst
audio/aac aac
audio/amr amr
audio/basic au snd
audio/flac flac
audio/midi mid midi kar
audio/mp4 m4a m4b
audio/mpeg mp3 mp2 mpga
audio/ogg ogg oga opus spx
audio/wav wav
audio/webm weba
audio/x-aiff aif aiff
audio/x-matroska mka
audio/x-mpegurl m3u
audio/x-scpls pls
font/collection ttc
font/otf otf
font/ttf ttf
font/woff woff
font/woff2 woff2
image/apng apng
image/avif avif
image/bmp bmp
image/gif gif
image/heic heic
image/heif heif
image/jp2 jp2
image/jpeg jpg jpeg jpe jfif
image/jxl jxl
image/png png
image/svg+xml svg svgz
image/tiff tif tiff
image/vnd.adobe.photoshop psd
image/vnd.djvu djvu djv
image/vnd.microsoft.icon ico cur
image/webp webp
image/x-portable-bitmap pbm
image/x-portable-graymap pgm
image/x-portable-pixmap ppm
image/x-xcf xcf
message/rfc822 eml mht mhtml
model/gltf+json gltf
model/gltf-binary glb
model/obj obj
model/stl stl
text/cache-manifest appcache
text/calendar ics ifb
text/css css
text/csv csv
text/html html htm shtml
text/javascript js mjs cjs
text/markdown md markdown
text/n3 n3
text/plain txt text log conf cfg ini diff patch c h cc cpp hpp rs go py rb lua in list sum sha256 md5 jsx tsx vue scss less rst
text/tab-separated-values tsv
text/troff man roff
text/turtle ttl
text/vcard vcf vcard
text/vtt vtt
text/x-java-source java
text/x-tex tex
video/3gpp 3gp
video/3gpp2 3g2
video/mp2t ts m2ts
video/mp4 mp4 m4v mp4v
video/mpeg mpeg mpg mpe
video/ogg ogv
video/quicktime mov qt
video/webm webm
video/x-flv flv
video/x-matroska mkv
video/x-ms-wmv wmv
video/x-msvideo avi
";

/// How many extensions there are in [`LINES`].
const COUNT: usize = count();

/// Where each extension begins in [`LINES`], in the order of the extensions. Made by the compiler.
pub(super) static PLACES: [u16; COUNT] = places();

const fn count() -> usize {
    let (mut at, mut count) = (0, 0);
    while at < LINES.len() {
        if is_space(at) {
            count += 1;
        }
        at += 1;
    }
    count
}

/// Runs at compile time only: an index out of bounds would be an error of the build.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn is_space(at: usize) -> bool {
    LINES.as_bytes()[at] == b' '
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn places() -> [u16; COUNT] {
    assert!(LINES.len() <= u16::MAX as usize);
    let mut places = [0; COUNT];
    let (mut at, mut filled) = (0, 0);
    while at < LINES.len() {
        if is_space(at) {
            // By insertion: what is greater moves up.
            let place = at as u16 + 1;
            let mut hole = filled;
            while hole > 0 && is_less(place, places[hole - 1]) {
                places[hole] = places[hole - 1];
                hole -= 1;
            }
            places[hole] = place;
            filled += 1;
        }
        at += 1;
    }
    places
}

/// Whether the extension at `left` sorts before the one at `right`. What ends an extension is less than any letter.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn is_less(left: u16, right: u16) -> bool {
    let (bytes, mut at) = (LINES.as_bytes(), 0);
    loop {
        let (a, b) = (bytes[left as usize + at], bytes[right as usize + at]);
        if a <= b' ' || b <= b' ' {
            return a <= b' ' && b > b' ';
        }
        if a != b {
            return a < b;
        }
        at += 1;
    }
}
