//! Who is here: tokens, the names they hold, and which sockets speak for whom.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    str::FromStr,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::time::Instant;

use super::{nonce::RecentNonces, rate::Bucket, reaction::Likes, text::Username};

/// How long a token proves its name after it was last online.
const TOKEN_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// How often the expired are looked for.
const SWEEP: Duration = Duration::from_secs(60);

/// People remembered; beyond, a tenth of them go, those longest offline first.
const PEOPLE_MAX: usize = 50_000;

/// Sockets that speak for one person at the same time: tabs and devices. One more silences the one
/// that has spoken for them longest.
const SOCKETS_MAX: usize = 64;

/// Numbers tried one after the other behind a taken name; then they are drawn.
const NUMBERS_IN_ORDER: u32 = 50;

/// One open socket, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SocketId(pub(super) u64);

/// Proves a name for 24 hours; 128 random bits, in base64url on the wire. A person is a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token([u8; 16]);

impl Token {
    fn new() -> Self {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits).expect("the system has a source of randomness");
        Self(bits)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

// A token is a secret: logs never show it.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl FromStr for Token {
    type Err = base64::DecodeSliceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bits = [0; 16];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bits)?;
        if length == bits.len() {
            Ok(Self(bits))
        } else {
            Err(base64::DecodeSliceError::OutputSliceTooSmall)
        }
    }
}

/// One token and what goes with it.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) name: Username,
    folded: String,
    /// The sockets that speak for this person, in the order in which they joined; none while it is
    /// offline.
    sockets: Vec<SocketId>,
    /// When the last of them came or went.
    seen: Instant,
    /// Earlier claims to a name win over later ones.
    claim: u64,
    pub(super) rate: Bucket,
    pub(super) reactions: Bucket,
    pub(super) nonces: RecentNonces,
    pub(super) likes: Likes,
}

/// What a join came to.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) name: Username,
    pub(super) token: Token,
    /// Other sockets whose name is another one now: those of somebody who had taken the name in the
    /// meantime, or those of the same person.
    pub(super) renamed: Vec<(SocketId, Username, Token)>,
}

/// Everybody of the last 24 hours.
#[derive(Debug)]
pub(super) struct People {
    people: HashMap<Token, Person>,
    /// Folded names of those online.
    names: HashMap<String, Token>,
    claims: u64,
    swept: Instant,
}

impl People {
    pub(super) fn new(now: Instant) -> Self {
        Self { people: HashMap::new(), names: HashMap::new(), claims: 0, swept: now }
    }

    /// The person that a socket speaks for.
    pub(super) fn speaker(&mut self, token: Token, socket: SocketId) -> Option<&mut Person> {
        self.people.get_mut(&token).filter(|person| person.sockets.contains(&socket))
    }

    /// The person of a known token comes back under its name, or speaks on one more socket.
    pub(super) fn come_back(
        &mut self,
        token: Token,
        socket: SocketId,
        now: Instant,
    ) -> Option<Joined> {
        self.sweep(now);
        let person = self.people.get(&token)?;
        if person.sockets.is_empty() && now.duration_since(person.seen) >= TOKEN_LIFE {
            self.people.remove(&token);
            return None;
        }
        let (folded, claim) = (person.folded.clone(), person.claim);
        let mut renamed = Vec::new();
        let mut name = person.name.clone();
        if let Some(holder) = self.names.get(&folded).copied().filter(|holder| *holder != token) {
            let other = self.people.get(&holder)?;
            let (other_claim, other_name) = (other.claim, other.name.clone());
            if claim < other_claim {
                self.names.remove(&folded);
                self.names.insert(folded, token);
                self.take_name(holder, &other_name);
                renamed = self.names_elsewhere(holder, socket);
            } else {
                name = self.take_name(token, &name);
            }
        } else {
            self.names.insert(folded, token);
        }
        let person = self.people.get_mut(&token)?;
        if !person.sockets.contains(&socket) {
            if person.sockets.len() == SOCKETS_MAX {
                person.sockets.remove(0);
            }
            person.sockets.push(socket);
        }
        person.seen = now;
        Some(Joined { name, token, renamed })
    }

    /// A new person comes, or the one of this socket takes another name.
    pub(super) fn come(
        &mut self,
        current: Option<Token>,
        socket: SocketId,
        wish: &Username,
        now: Instant,
    ) -> Joined {
        self.sweep(now);
        let token = match current.filter(|token| self.speaker(*token, socket).is_some()) {
            Some(token) => token,
            None => {
                self.make_room();
                let token = Token::new();
                let person = Person {
                    name: wish.clone(),
                    folded: String::new(),
                    sockets: vec![socket],
                    seen: now,
                    claim: 0,
                    rate: Bucket::default(),
                    reactions: Bucket::default(),
                    nonces: RecentNonces::default(),
                    likes: Likes::default(),
                };
                self.people.insert(token, person);
                token
            }
        };
        let name = self.take_name(token, wish);
        Joined { name, token, renamed: self.names_elsewhere(token, socket) }
    }

    /// What the sockets of a person but this one have to be told of its name.
    fn names_elsewhere(&self, token: Token, socket: SocketId) -> Vec<(SocketId, Username, Token)> {
        let Some(person) = self.people.get(&token) else { return Vec::new() };
        let others = person.sockets.iter().filter(|other| **other != socket);
        others.map(|other| (*other, person.name.clone(), token)).collect()
    }

    /// A socket no longer speaks for this person.
    pub(super) fn leave(&mut self, token: Token, socket: SocketId, now: Instant) {
        let Some(person) = self.speaker(token, socket) else { return };
        person.sockets.retain(|other| *other != socket);
        person.seen = now;
        if !person.sockets.is_empty() {
            return;
        }
        let folded = person.folded.clone();
        if self.names.get(&folded) == Some(&token) {
            self.names.remove(&folded);
        }
    }

    /// Gives the wished name, or the first free one with a number behind it.
    fn take_name(&mut self, token: Token, wish: &Username) -> Username {
        let free = |folded: &str| self.names.get(folded).is_none_or(|holder| *holder == token);
        let mut name = wish.clone();
        let mut number = 2;
        while !free(&name.folded()) {
            name = wish.numbered(number);
            // The numbers are few among those online, so a drawn one is free almost at once.
            number = if number < NUMBERS_IN_ORDER {
                number + 1
            } else {
                1_000 + getrandom::u32().unwrap_or(number) % 9_000_000
            };
        }
        self.claims += 1;
        let (claim, folded) = (self.claims, name.folded());
        if let Some(person) = self.people.get_mut(&token) {
            if self.names.get(&person.folded) == Some(&token) {
                self.names.remove(&person.folded);
            }
            person.name = name.clone();
            person.folded = folded.clone();
            person.claim = claim;
        }
        self.names.insert(folded, token);
        name
    }

    fn sweep(&mut self, now: Instant) {
        if now.duration_since(self.swept) >= SWEEP {
            self.swept = now;
            self.people.retain(|_, person| {
                !person.sockets.is_empty() || now.duration_since(person.seen) < TOKEN_LIFE
            });
        }
    }

    fn make_room(&mut self) {
        if self.people.len() < PEOPLE_MAX {
            return;
        }
        let mut offline: Vec<(Instant, Token)> = self
            .people
            .iter()
            .filter(|(_, person)| person.sockets.is_empty())
            .map(|(token, person)| (person.seen, *token))
            .collect();
        offline.sort_unstable_by_key(|(seen, _)| *seen);
        let gone: HashSet<Token> =
            offline.into_iter().take(PEOPLE_MAX / 10).map(|(_, token)| token).collect();
        self.people.retain(|token, _| !gone.contains(token));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{People, SOCKETS_MAX, SocketId, TOKEN_LIFE, Token, Username};

    fn name(text: &str) -> Username {
        Username::parse(text).expect("a name")
    }

    #[test]
    fn a_token_keeps_its_name_for_a_day() {
        let start = Instant::now();
        let mut people = People::new(start);
        let token = people.come(None, SocketId(1), &name("ana"), start).token;
        people.leave(token, SocketId(1), start);
        let later = start + TOKEN_LIFE - Duration::from_secs(1);
        let back = people.come_back(token, SocketId(2), later).expect("known");
        assert_eq!((back.name.as_str(), back.token), ("ana", token));
        people.leave(token, SocketId(2), later);
        assert!(people.come_back(token, SocketId(3), later + TOKEN_LIFE).is_none());
        assert!(people.come_back(Token::new(), SocketId(3), later).is_none());
    }

    #[test]
    fn a_name_is_free_while_its_holder_is_away_and_given_back_after() {
        let now = Instant::now();
        let mut people = People::new(now);
        let first = people.come(None, SocketId(1), &name("ana"), now).token;
        people.leave(first, SocketId(1), now);
        let second = people.come(None, SocketId(2), &name("ANA"), now);
        assert_eq!(second.name.as_str(), "ANA");
        let back = people.come_back(first, SocketId(3), now).expect("known");
        assert_eq!(back.name.as_str(), "ana");
        let [(socket, given, token)] = &*back.renamed else { panic!("{:?}", back.renamed) };
        assert_eq!((*socket, given.as_str(), *token), (SocketId(2), "ANA2", second.token));
        let third = people.come(None, SocketId(4), &name("ana"), now);
        assert_eq!(third.name.as_str(), "ana3");
    }

    #[test]
    fn names_are_unique_among_those_online_without_regard_to_case() {
        let now = Instant::now();
        let mut people = People::new(now);
        let mut given = Vec::new();
        for (socket, wish) in (1..).zip(["ana", "Ana", "ａｎａ", "ana2", "eva"]) {
            given.push(people.come(None, SocketId(socket), &name(wish), now).name);
        }
        let given: Vec<&str> = given.iter().map(Username::as_str).collect();
        assert_eq!(given, ["ana", "Ana2", "ａｎａ3", "ana22", "eva"]);
        let mut folded: Vec<String> = (0..500)
            .map(|n| people.come(None, SocketId(100 + n), &name("ana"), now).name.folded())
            .collect();
        folded.sort_unstable();
        folded.dedup();
        assert_eq!(folded.len(), 500);
    }

    #[test]
    fn every_socket_with_the_token_speaks_until_it_closes() {
        let now = Instant::now();
        let mut people = People::new(now);
        let token = people.come(None, SocketId(1), &name("ana"), now).token;
        people.come_back(token, SocketId(2), now).expect("known");
        for socket in [1, 2, 2, 1] {
            assert!(people.speaker(token, SocketId(socket)).is_some(), "{socket}");
        }
        assert!(people.speaker(token, SocketId(3)).is_none());
        people.leave(token, SocketId(1), now);
        assert!(people.speaker(token, SocketId(1)).is_none());
        assert_eq!(people.come(None, SocketId(3), &name("ana"), now).name.as_str(), "ana2");
        let renamed = people.come(Some(token), SocketId(2), &name("eva"), now);
        assert_eq!((renamed.name.as_str(), renamed.token), ("eva", token));
        assert_eq!(people.come(None, SocketId(4), &name("ana"), now).name.as_str(), "ana");
        people.leave(token, SocketId(2), now);
        assert_eq!(people.come(None, SocketId(5), &name("eva"), now).name.as_str(), "eva");
    }

    #[test]
    fn a_person_has_a_bounded_number_of_sockets() {
        let now = Instant::now();
        let mut people = People::new(now);
        let token = people.come(None, SocketId(0), &name("ana"), now).token;
        for socket in 1..=SOCKETS_MAX as u64 {
            people.come_back(token, SocketId(socket), now).expect("known");
        }
        assert!(people.speaker(token, SocketId(0)).is_none());
        assert!(people.speaker(token, SocketId(1)).is_some());
        let joined = people.come(Some(token), SocketId(1), &name("eva"), now);
        assert_eq!(joined.renamed.len(), SOCKETS_MAX - 1);
        assert!(joined.renamed.iter().all(|(_, name, _)| name.as_str() == "eva"));
    }

    #[test]
    fn tokens_are_read_back_and_not_shown() {
        let token = Token::new();
        assert_eq!(token.to_string().parse(), Ok(token));
        assert_eq!(format!("{token:?}"), "Token(…)");
        for bad in ["", "x", "AAAA", &"A".repeat(23), &"A".repeat(1_000), "ñ"] {
            assert!(bad.parse::<Token>().is_err(), "{bad}");
        }
    }
}
