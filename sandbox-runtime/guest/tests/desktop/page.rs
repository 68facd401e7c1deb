//! Pages on which the room is tried.

/// Every pixel changes with each frame.
pub const FILM: &str = "<style>body{margin:0}</style><canvas id=c width=800 height=500></canvas><script>
  var moving = true;
  const context = c.getContext('2d');
  const noise = new Uint32Array(new ArrayBuffer(800 * 500 * 4));
  let state = 1;
  function draw() {
    if (moving) {
      for (let at = 0; at < noise.length; at += 4) {
        state = (state * 1103515245 + 12345) & 0x7fffffff;
        noise.fill(0xff000000 | state, at, at + 4);
      }
      context.putImageData(new ImageData(new Uint8ClampedArray(noise.buffer), 800, 500), 0, 0);
    }
    requestAnimationFrame(draw);
  }
  draw();
</script>";

/// A button that counts, a field that takes text.
pub const FORM: &str = "<meta charset=utf-8><button>Click</button><br><textarea id=field rows=5></textarea><script>
  var clicks = 0;
  document.querySelector('button').onclick = () => clicks++;
  var field = document.querySelector('textarea');
</script>";

/// A list, a button that opens a window, a field, a link.
pub const POPUPS: &str = "<meta charset=utf-8>
  <select><option>one<option style='background:#00ff00'>two<option style='background:#00ff00'>three</select>
  <button>Open</button> <input> <a href='#'>link</a><script>
  var popup, typedInPopup = '', typedInPage = '';
  document.querySelector('button').onclick = () => {
    popup = open('', 'popup', 'width=300,height=200');
    popup.document.body.style.background = '#ff00ff';
    popup.onkeydown = event => typedInPopup += event.key;
  };
  onkeydown = event => typedInPage += event.key;
</script>";

/// A field for files, and what became of its chooser.
pub const FILES: &str = "<meta charset=utf-8><input type=file style='width:300px;height:60px'><script>
  var chosen = '';
  const files = document.querySelector('input');
  files.onchange = () => chosen = files.files[0].name;
  files.oncancel = () => chosen = 'cancelled';
</script>";

/// Remembers which keys and buttons are down, and every key that was pressed.
pub const HELD: &str = "<meta charset=utf-8><textarea id=field rows=5></textarea><script>
  var down = [], keys = [];
  const lift = name => down = down.filter(held => held !== name);
  onmousedown = () => down.push('mouse');
  onmouseup = () => lift('mouse');
  onkeydown = event => { keys.push(event.code); if (!event.repeat) down.push(event.code); };
  onkeyup = event => lift(event.code);
</script>";
