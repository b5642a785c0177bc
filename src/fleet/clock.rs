//! The clock of a store, taken from the dates of its answers.
//!
//! The age of an object must be computed with the clock that stamped it. The clock of this machine may differ from it
//! by hours.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};

/// The date of the last answer of a store. A folder uses the clock of this machine, and has no answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct StoreClock(Arc<Mutex<Option<Timestamp>>>);

impl StoreClock {
    /// The date of the last answer; `now` if there is none.
    pub(crate) fn time(&self, now: Timestamp) -> Timestamp {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.unwrap_or(now)
    }

    /// Sets the clock from the `Date` header of an answer.
    pub(crate) fn hear(&self, date: &str) {
        if let Ok(moment) = rfc2822::parse(date) {
            let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *heard = Some(moment.timestamp());
        }
    }
}

/// A connector whose clients pass the dates of answers on to the clock.
#[derive(Debug)]
pub(crate) struct Listening(pub(crate) StoreClock);

impl HttpConnector for Listening {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        let clock = self.0.clone();
        Ok(HttpClient::new(Heard { client, clock }))
    }
}

#[derive(Debug)]
struct Heard {
    client: HttpClient,
    clock: StoreClock,
}

#[async_trait]
impl HttpService for Heard {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self.client.execute(request).await?;
        if let Some(Ok(date)) = response.headers().get("date").map(|date| date.to_str()) {
            self.clock.hear(date);
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use std::io::{Read, Write};
    use std::net::TcpListener;

    use object_store::client::HttpRequestBody;
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn the_time_is_that_of_the_last_answer() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (clock, now) = (StoreClock::default(), at("2026-01-01T00:00:00Z"));
        assert_eq!(clock.time(now), now);
        clock.hear("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(clock.time(now), at("1994-11-06T08:49:37Z"));
        clock.hear("yesterday");
        assert_eq!(clock.time(now), at("1994-11-06T08:49:37Z"));
    }

    /// The connector is used in the same way by the builders of all clouds.
    #[test]
    fn answers_are_listened_to() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let answering = std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let answer = "HTTP/1.1 404 X\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let clock = StoreClock::default();
        let options = ClientOptions::new().with_allow_http(true);
        let client = Listening(clock.clone()).connect(&options).unwrap();
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.uri_mut() = address.parse().unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(client.execute(request)).unwrap();
        answering.join().unwrap();
        let heard: Timestamp = "1994-11-06T08:49:37Z".parse().unwrap();
        assert_eq!(clock.time(Timestamp::UNIX_EPOCH), heard);
    }
}
