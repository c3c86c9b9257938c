//! What the page says, in English and in Spanish: two tables, checked by the compiler.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// A language of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
}

impl Lang {
    /// The BCP 47 tag, for `<html lang>`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
        }
    }

    /// Reads a tag, its region ignored.
    pub fn parse(tag: &str) -> Option<Self> {
        match tag.trim().split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "en" => Some(Self::En),
            "es" => Some(Self::Es),
            _ => None,
        }
    }

    /// The best of an `Accept-Language` header (RFC 9110, 12.5.4), English where it names none.
    pub fn accept(header: &str) -> Self {
        let weight = |part: &str| {
            let (tag, rest) = part.split_once(';').unwrap_or((part, ""));
            let q = rest.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.parse::<f32>().ok())?;
            (q > 0.0).then_some((Self::parse(tag)?, q))
        };
        let mut best: Option<(Self, f32)> = None;
        for (lang, q) in header.split(',').filter_map(weight) {
            if best.is_none_or(|(_, most)| q > most) {
                best = Some((lang, q));
            }
        }
        best.map_or(Self::En, |(lang, _)| lang)
    }

    /// What the server writes, in this language.
    pub fn texts(self) -> &'static Texts {
        match self {
            Self::En => &TEXTS_EN,
            Self::Es => &TEXTS_ES,
        }
    }

    /// What the WASM bundle says, in this language.
    pub fn words(self) -> &'static Words {
        match self {
            Self::En => &WORDS_EN,
            Self::Es => &WORDS_ES,
        }
    }
}

impl Lang {
    /// What the guide says in this language.
    pub fn guide_texts(self) -> &'static GuideTexts {
        match self {
            Self::En => &GUIDE_EN,
            Self::Es => &GUIDE_ES,
        }
    }

    /// What the page about the API says in this language.
    pub fn api_texts(self) -> &'static ApiTexts {
        match self {
            Self::En => &API_EN,
            Self::Es => &API_ES,
        }
    }
}

/// What the server writes, in the page's language.
pub fn texts() -> &'static Texts {
    use_context::<Lang>().unwrap_or_default().texts()
}

/// What the WASM bundle says, in the page's language.
pub fn words() -> &'static Words {
    use_context::<Lang>().unwrap_or_default().words()
}

macro_rules! table {
    ($(#[$doc:meta])* $type:ident, $en_table:ident, $es_table:ident; $($name:ident: $en:literal, $es:literal;)*) => {
        $(#[$doc])*
        #[derive(Debug)]
        #[expect(missing_docs, reason = "the English text says what each is")]
        pub struct $type { $(pub $name: &'static str,)* }
        const $en_table: $type = $type { $($name: $en,)* };
        const $es_table: $type = $type { $($name: $es,)* };
    };
}

table! {
    /// What the server writes into the page: the WASM bundle does not carry it.
    Texts, TEXTS_EN, TEXTS_ES;
    site_description: "Videos and music from a folder, for everybody on the Wi‑Fi.", "Vídeos y música de una carpeta, para todos los de la Wi‑Fi.";
    feed: "Reels", "Reels";
    sound: "Sound", "Sonido";
    tap_to_hear: "Tap to hear", "Toca para oír";
    sound_on: "Sound on", "Con sonido";
    full_screen: "Full screen", "Pantalla completa";
    seek: "Position", "Posición";
    next: "Next", "Siguiente";
    retry: "Retry", "Reintentar";
    paused: "paused", "en pausa";
    tap_to_play: "Tap: this browser starts nothing by itself.", "Toca: este navegador no arranca nada solo.";
    paused_outside: "Something outside this page has paused it. It goes on at", "Lo ha pausado algo de fuera de esta página. Sigue en";
    when_you_like: "when you like.", "cuando quieras.";
    stopping: "The server is stopping. This goes on as far as it has come.", "El servidor se está apagando. Esto sigue hasta donde ha llegado.";
    returned: "Back.", "De vuelta.";
    reel_gone: "That reel is no longer there.", "Ese reel ya no está.";
    searching_picture: "Looking for the picture…", "Buscando la imagen…";
    open_stream: "Open the stream", "Abrir el vídeo";
    on_the_strip: "On the strip", "En la tira";
    to_the_controls: "To the controls", "A los mandos";
    guide: "Guide", "Guía";
    search: "Search", "Buscar";
    keyboard: "Keyboard", "Teclado";
    live_now: "Live", "En vivo";
    captions: "Captions", "Subtítulos";
    playback: "Playback", "Reproducción";
    quality: "Quality", "Calidad";
    automatic: "Automatic", "Automática";
    speed: "Speed", "Velocidad";
    picture_in_picture: "Picture in picture", "Imagen sobre imagen";
    loop_videos: "Repeat videos", "Repetir los vídeos";
    music_goes_on: "Music goes on to the next", "La música sigue con la siguiente";
    share: "Share", "Compartir";
    share_this_reel: "Share this reel", "Compartir este reel";
    share_code: "This code opens it on any phone of the same Wi‑Fi.", "Este código lo abre en cualquier móvil de la misma Wi‑Fi.";
    link: "Link", "Enlace";
    like: "Like", "Me gusta";
    swipe: "swipe", "desliza";
    up_next: "Next:", "Luego:";
    faster: "2× while you hold", "2× mientras mantienes";
    see: "See", "Ver";
    keys_next: "Next, previous", "Siguiente, anterior";
    keys_ends: "First, last", "Primero, último";
    keys_write: "Write", "Escribir";
    keys_channel: "Go to a channel", "Ir al canal";
    key_space: "Space", "Espacio";
    key_home: "Home", "Inicio";
    key_end: "End", "Fin";
    key_enter: "Enter", "Intro";
    single_letters: "Single-letter keys", "Teclas de una sola letra";
    single_letters_why: "Turn them off if you use voice dictation.", "Apágalas si usas dictado por voz.";
    message: "Message", "Mensaje";
    say_something: "Say something", "Di algo a los que miran";
    send: "Send", "Enviar";
    close: "Close", "Cerrar";
    everyone: "Everyone", "Todos";
    only_this_reel: "Only this reel", "Solo este reel";
    your_name: "Your name", "Tu nombre";
    come_in: "Come in", "Entrar";
    nobody_spoke: "Nobody has said anything yet.", "Nadie ha dicho nada todavía.";
    offline: "No connection.", "Sin conexión.";
    now: "Now", "Ya";
    empty_title: "There is no film yet", "Todavía no hay película";
    empty_text: "As soon as you copy a video or a song, it shows here and on every open phone. Without a restart.", "En cuanto copies un vídeo o una canción, sale aquí y en todos los teléfonos abiertos. Sin reiniciar nada.";
    empty_for_guests: "Nothing here yet", "Todavía no hay nada";
    empty_wait: "As soon as there is a film, it starts here by itself.", "En cuanto haya una película, empieza aquí sola.";
    empty_copy: "Copy a file or a folder to", "Copia un archivo o una carpeta en";
    empty_convert: "Or convert one by hand", "O convierte uno a mano";
    empty_elsewhere: "Or show what another server has", "O enseña lo que tiene otro servidor";
    let_others_in: "Let the others in", "Que entren los demás";
    guide_comes: "Fetching the guide…", "Trayendo la guía…";
    guide_late: "The guide does not come. It is asked for again.", "La guía no llega. La vuelvo a pedir.";
    only_here: "Only this machine can open it. Start with HOST=0.0.0.0 to let the others in.", "Solo se abre en esta máquina. Arranca con HOST=0.0.0.0 para que entren los demás.";
    qr_text: "This code opens the room on any phone of the same Wi‑Fi.", "Este código abre la sala en cualquier móvil de la misma Wi‑Fi.";
    missing_title: "Fogged frame", "Fotograma velado";
    missing_before: "The channel", "El canal";
    missing_after: "is not in the folder. It may have been renamed.", "no está en la carpeta. Puede que le hayan cambiado el nombre.";
    nothing_here: "There is nothing at this address.", "No hay nada en esta dirección.";
    see_the_guide: "See the guide", "Ver la guía";
    go_to_first: "Go to the first", "Ir al primero";
    pulse: "Pulse", "Pulso";
    finger_to_picture: "Finger to picture", "Del dedo a la imagen";
    the_slowest: "The slowest", "Los más lentos";
    cold_open: "Cold open", "Abrir en frío";
    watching_now: "Watching now", "Ahora mirando";
    target: "target", "objetivo";
    until_it_moves: "until it moves", "hasta que se mueve";
    in_one_channel: "in one channel", "en un canal";
    in_channels: "in {} channels", "en {} canales";
    last_swipes: "The last 2,000 swipes", "Los últimos 2000 pases";
    no_swipes_yet: "Nobody has swiped yet.", "Nadie ha pasado un reel todavía.";
    watching_last_hour: "Watching, last hour", "Mirando, última hora";
    an_hour_ago: "an hour ago", "hace una hora";
    at_this_moment: "now", "ahora";
    the_house: "The house", "La casa";
    memory: "Memory", "Memoria";
    running_for: "Running for", "Sin parar";
    channels: "Channels", "Canales";
    chat_messages: "Chat messages", "Mensajes del chat";
    decimal_point: ".", ",";
    starting: "Carrete is reading its folder. One moment.", "Carrete está leyendo su carpeta. Un momento.";
}

table! {
    /// What the WASM bundle says while it runs; the server says some of it first.
    Words, WORDS_EN, WORDS_ES;
    play: "Play", "Reproducir";
    pause: "Pause", "Pausar";
    no_picture: "no picture", "sin imagen";
    damaged: "damaged", "dañado";
    network_before: "“", "No llega «";
    network_after: "” won’t play", "»";
    damaged_before: "“", "«";
    damaged_after: "” is damaged", "» está dañado";
    unknown_before: "“", "«";
    unknown_after: "” can’t be played here", "» no se puede ver aquí";
    cause_network: "The server did not send the video.", "El servidor no ha enviado el vídeo.";
    cause_away: "The server that keeps it does not answer.", "El servidor que lo guarda no responde.";
    cause_damaged: "Part of its file cannot be read, and waiting will not bring it.", "Una parte de su archivo no se puede leer, y esperar no la trae.";
    cause_unknown: "This browser cannot play it: it does not know this kind of file. Its owner can convert it.", "Este navegador no puede con él: no conoce este tipo de archivo. Su dueño puede convertirlo.";
    tried_again: "It is tried again in a moment.", "Lo intento otra vez enseguida.";
    tried_then_next: "It is tried again in a moment; if that fails, the next one follows.", "Lo intento otra vez enseguida; si no, sigue la tira.";
    next_is: "Next:", "Siguiente:";
    then: "Then", "Luego,";
    cause_resting: "It sends nothing now, and goes on by itself.", "Ahora no envía nada. Sigue solo.";
    local: "local", "local";
    music: "music", "música";
    on_air: "live", "en directo";
    decimal_point: ".", ",";
    copy_link: "Copy the link", "Copiar el enlace";
    copied: "Copied", "Copiado";
    new_reel: "One new reel", "Un reel nuevo";
    new_reels: "new reels", "reels nuevos";
    of: "of", "de";
    chat: "Chat", "Chat";
    unread: "unread", "sin leer";
    watching: "watching", "viendo";
    at_reel: "at", "en";
    what_shall_we_call_you: "What shall we call you?", "¿Cómo te llamamos?";
    only_the_first_time: "Only the first time. Your message waits:", "Solo la primera vez. Tu mensaje espera:";
    not_sent: "Not sent yet", "Sin enviar todavía";
    slow_down: "Too fast.", "Muy deprisa.";
    slow_down_until: "You can write again in", "Puedes escribir otra vez en";
    slow_down_rest: "; your text is still here.", "; tu texto sigue aquí.";
    not_taken: "The server did not take that. Your text is still here: send it again.", "El servidor no lo ha aceptado. Tu texto sigue aquí: envíalo otra vez.";
    again_in: "I will try again in", "Lo intento otra vez en";
    trying: "Trying…", "Probando…";
    too_long: "A message has at most 500 characters.", "Un mensaje tiene 500 caracteres como mucho.";
    bad_name: "A name has 1 to 24 visible characters.", "Un nombre tiene de 1 a 24 caracteres visibles.";
    page_broke: "The page has stopped working.", "La página ha dejado de funcionar.";
    reload: "Reload", "Recargar";
}

table! {
    /// What the guide says: apart, because the WASM bundle needs none of it.
    GuideTexts, GUIDE_EN, GUIDE_ES;
    guide: "Guide", "Guía";
    search: "Search", "Buscar";
    search_hint: "Title, tag or number", "Título, etiqueta o número";
    found: "found", "en la hoja";
    tags: "Tags", "Etiquetas";
    all: "All", "Todo";
    music: "Music", "Música";
    live: "Live", "En vivo";
    live_mark: "Live", "Vivo";
    order: "Order", "Orden";
    order_feed: "In order", "En orden";
    order_newest: "Newest", "Lo nuevo";
    order_shuffle: "Shuffle", "Al azar";
    on_air: "On air", "En antena";
    roll: "Roll", "Carrete";
    rolls: "Rolls", "Carretes";
    of: "of", "de";
    previous_rolls: "Rolls before", "Carretes anteriores";
    next_rolls: "Rolls after", "Carretes siguientes";
    here: "Here", "Aquí";
    all_there_is: "All there is", "Todo lo que hay";
    what_answers: "What answers to that", "Lo que responde a eso";
    not_filmed: "Not filmed yet", "Sin rodar todavía";
    nothing_found: "Nothing here answers to that.", "Aquí no hay nada que responda a eso.";
    nothing_with: "Nothing with «{}»", "Nada con «{}»";
    looked_at: "I looked at titles, tags and numbers.", "He mirado títulos, etiquetas y números.";
    near: "Near to what you look for", "Cerca de lo que buscas";
    no_number: "There is no", "No hay";
    ends_at: "The strip ends at {}. It may have been taken away lately.", "La tira acaba en el {}. Puede que lo hayan quitado hace poco.";
    the_last_one: "The last one", "El último";
    not_developed: "Not developed", "Sin revelar";
    to_the_last: "Go to the last", "Ir al último";
    show_all: "Show all {}", "Ver los {}";
    theme_light: "Use the light theme", "Usar el tema claro";
    theme_dark: "Use the dark theme", "Usar el tema oscuro";
    theme_auto: "Use the theme of the device", "Usar el tema del aparato";
}

table! {
    /// What stands around the description of the API, which is in English.
    ApiTexts, API_EN, API_ES;
    tag: "en", "es";
    api: "API", "API";
    takes: "Takes", "Admite";
    body: "body", "cuerpo";
    answers: "Answers", "Respuestas";
    forms: "Forms", "Formas";
}

#[cfg(test)]
mod tests {
    use super::Lang;

    #[test]
    fn the_best_accepted_language_wins() {
        for (header, lang) in [
            ("es-MX,es;q=0.9", Lang::Es),
            ("en-GB", Lang::En),
            ("fr, es;q=0.5, en;q=0.7", Lang::En),
            ("fr", Lang::En),
            ("", Lang::En),
            ("es;q=0, en", Lang::En),
            ("EN;q=0.1,ES;q=0.2", Lang::Es),
        ] {
            assert_eq!(Lang::accept(header), lang, "{header}");
        }
    }
}
