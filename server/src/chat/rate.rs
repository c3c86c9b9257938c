//! How fast something may be done: one moment of memory per person, address or socket.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use tokio::time::Instant;

use crate::config::Rate;

/// A token bucket that remembers only when it will be full again (the generic cell rate algorithm).
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    full_at: Option<Instant>,
}

impl Bucket {
    /// How long until one more is allowed; zero if it is now.
    pub fn wait(&self, rate: Rate, now: Instant) -> Duration {
        let each = rate.per / rate.count.get();
        (self.filling(now) + each).saturating_sub(rate.per)
    }

    /// Counts one, allowed or not.
    pub fn spend(&mut self, rate: Rate, now: Instant) {
        self.full_at = Some(now + self.filling(now) + rate.per / rate.count.get());
    }

    /// Counts one if it is allowed now, else says how long to wait.
    pub fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        match self.wait(rate, now) {
            Duration::ZERO => {
                self.spend(rate, now);
                Ok(())
            }
            wait => Err(wait),
        }
    }

    /// Whether nothing of it is spent, so that it need not be kept.
    pub fn is_full(&self, now: Instant) -> bool {
        self.filling(now).is_zero()
    }

    fn filling(&self, now: Instant) -> Duration {
        self.full_at.map_or(Duration::ZERO, |full_at| full_at.saturating_duration_since(now))
    }
}

/// Addresses whose rate is remembered; beyond, those with nothing spent are forgotten, and if all
/// have, everybody's.
const ADDRESSES_MAX: usize = 20_000;

/// The rate of each address.
#[derive(Clone, Debug, Default)]
pub struct Addresses(HashMap<IpAddr, Bucket>);

impl Addresses {
    /// The rate of this one; of IPv6 that of the network, since a host has all of it.
    pub fn of(&mut self, address: IpAddr, now: Instant) -> &mut Bucket {
        let address = fence(address);
        if self.0.len() >= ADDRESSES_MAX && !self.0.contains_key(&address) {
            self.0.retain(|_, bucket| !bucket.is_full(now));
            if self.0.len() >= ADDRESSES_MAX {
                self.0.clear();
            }
        }
        self.0.entry(address).or_default()
    }
}

/// The address as the fence of a host: of IPv6 its network, since a host has all of it.
pub fn fence(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, time::Duration};

    use tokio::time::Instant;

    use super::{ADDRESSES_MAX, Addresses, Bucket};

    #[test]
    fn addresses_are_bounded_and_a_network_is_one() {
        let now = Instant::now();
        let rate = "1/60".parse().expect("a rate");
        let mut addresses = Addresses::default();
        let mut take = |address: &str| {
            let address: IpAddr = address.parse().expect("an address");
            addresses.of(address, now).take(rate, now).is_ok()
        };
        assert!(take("192.168.1.5") && !take("::ffff:192.168.1.5"));
        assert!(take("2001:db8::1") && !take("2001:db8::2") && take("2001:db8:0:1::1"));
        for n in 0..ADDRESSES_MAX as u32 + 10 {
            let _ = addresses.of(IpAddr::V4(n.into()), now).take(rate, now);
        }
        assert!(addresses.0.len() <= ADDRESSES_MAX);
    }

    #[test]
    fn five_in_ten_seconds_are_five_and_then_one_in_two() {
        let rate = "5/10".parse().expect("a rate");
        let start = Instant::now();
        let mut bucket = Bucket::default();
        for _ in 0..5 {
            assert_eq!(bucket.take(rate, start), Ok(()));
        }
        assert_eq!(bucket.take(rate, start), Err(Duration::from_secs(2)));
        assert_eq!(bucket.take(rate, start + Duration::from_secs(2)), Ok(()));
        assert!(bucket.take(rate, start + Duration::from_secs(3)).is_err());
        assert!(bucket.is_full(start + Duration::from_secs(12)));
    }
}
