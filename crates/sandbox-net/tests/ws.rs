//! A websocket from the client's side, with a protocol of the tests.

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use axum::routing::any;
use futures_util::{SinkExt, StreamExt};
use sandbox_net::ws::{self, End, Ending, Limits, Protocol, Socket, Start};
use sandbox_net::{Close, Closer, Connection, Listener};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const DAY: Duration = Duration::from_hours(24);

/// Sends back each text frame, and is closed by an order, whose text is the reason.
struct Echo {
    socket: Socket,
    ended: mpsc::UnboundedSender<End>,
}

impl Protocol for Echo {
    type Order = String;

    fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }

    async fn hello(&mut self) -> Result<(), Ending> {
        self.socket.send(Message::Text("hello".into())).await
    }

    async fn flush_events(&mut self) -> Result<bool, Ending> {
        Ok(false)
    }

    fn events(&self) -> impl Future<Output = ()> + Send + use<> {
        pending()
    }

    async fn handle_text(&mut self, text: &str) -> Result<(), Ending> {
        self.socket.beat();
        self.socket.send(Message::Text(text.into())).await
    }

    async fn handle_binary(&mut self, _: &[u8]) -> Result<(), Ending> {
        Err(Ending::Sever)
    }

    async fn handle_order(&mut self, order: Option<String>) -> Result<(), Ending> {
        Err(Close::new(4000, order.unwrap_or_default()).into())
    }

    fn timed_out(&self) -> Ending {
        Close::new(4009, "late").into()
    }

    fn rate_limited(&self) -> Ending {
        Close::new(4008, "much").into()
    }

    fn ended(&mut self, end: &End) {
        let _ = self.ended.send(end.clone());
    }
}

#[derive(Clone)]
struct Options {
    limits: Limits,
    start: Start,
    orders: mpsc::UnboundedSender<mpsc::UnboundedSender<String>>,
    ended: mpsc::UnboundedSender<End>,
}

async fn connect(
    State(options): State<Options>,
    ConnectInfo(wire): ConnectInfo<Connection>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(move |socket| {
        let (mailbox, orders) = mpsc::unbounded_channel();
        let _ = options.orders.send(mailbox);
        let socket = Socket::new(socket, Some(wire), options.limits, Duration::ZERO);
        ws::serve(Echo { socket, ended: options.ended }, orders, options.start)
    })
}

struct Client {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    orders: mpsc::UnboundedSender<String>,
    ended: mpsc::UnboundedReceiver<End>,
}

impl Client {
    async fn new(limits: Limits, start: Start) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let (orders, mut mailboxes) = mpsc::unbounded_channel();
        let (sender, ended) = mpsc::unbounded_channel();
        let options = Options { limits, start, orders, ended: sender };
        let service = Router::new()
            .route("/", any(connect))
            .with_state(options)
            .into_make_service_with_connect_info::<Connection>();
        tokio::spawn(async move { axum::serve(Listener::new(listener), service).await });
        let (stream, _) = tokio_tungstenite::connect_async(format!("ws://{address}/")).await.unwrap();
        Self { stream, orders: mailboxes.recv().await.unwrap(), ended }
    }

    async fn send(&mut self, frame: Frame) {
        self.stream.send(frame).await.unwrap();
    }

    async fn text(&mut self) -> String {
        self.stream.next().await.unwrap().unwrap().into_text().unwrap().to_string()
    }

    /// Returns close code and reason, and checks that nothing follows.
    async fn close(&mut self) -> (u16, String) {
        let Some(Ok(Frame::Close(Some(close)))) = self.stream.next().await else { panic!("no close frame") };
        (close.code.into(), close.reason.to_string())
    }

    async fn end(&mut self) -> End {
        self.ended.recv().await.unwrap()
    }
}

fn limits(heartbeat_interval: Duration, payloads_per_minute: Option<usize>) -> Limits {
    Limits { heartbeat_interval, payloads_per_minute }
}

fn end(code: Option<u16>, reason: &str, by: Closer) -> End {
    End { code, reason: reason.to_owned(), by }
}

#[tokio::test]
async fn payloads_are_counted_and_one_too_many_closes() {
    let mut client = Client::new(limits(DAY, Some(2)), Start::Hello(Duration::ZERO)).await;
    assert_eq!(client.text().await, "hello");
    for text in ["a", "b", "c"] {
        client.send(Frame::text(text)).await;
    }
    assert_eq!((client.text().await, client.text().await), ("a".to_owned(), "b".to_owned()));
    assert_eq!(client.close().await, (4008, "much".to_owned()));
    assert_eq!(client.end().await, end(Some(4008), "much", Closer::Server));
}

#[tokio::test]
async fn a_client_without_heartbeats_is_closed() {
    let mut client = Client::new(limits(Duration::from_millis(20), None), Start::Hello(Duration::ZERO)).await;
    assert_eq!(client.text().await, "hello");
    assert_eq!(client.close().await, (4009, "late".to_owned()));
}

#[tokio::test]
async fn an_order_closes_and_none_is_taken_afterwards() {
    let mut client = Client::new(limits(DAY, None), Start::Hello(Duration::ZERO)).await;
    assert_eq!(client.text().await, "hello");
    client.orders.send("enough".to_owned()).unwrap();
    assert_eq!(client.end().await, end(Some(4000), "enough", Closer::Server));
    // The client has not answered the close frame yet.
    assert!(client.orders.send("more".to_owned()).is_err());
    assert_eq!(client.close().await, (4000, "enough".to_owned()));
}

#[tokio::test]
async fn a_long_reason_is_shortened_so_that_the_client_can_read_the_close_frame() {
    let mut client = Client::new(limits(DAY, None), Start::Hello(Duration::ZERO)).await;
    assert_eq!(client.text().await, "hello");
    client.orders.send("no ".repeat(60)).unwrap();
    assert_eq!(client.close().await, (4000, "no ".repeat(41)));
}

#[tokio::test]
async fn a_client_that_closes_is_answered() {
    let mut client = Client::new(limits(DAY, None), Start::Hello(Duration::ZERO)).await;
    assert_eq!(client.text().await, "hello");
    client.stream.close(None).await.unwrap();
    assert_eq!(client.end().await, end(None, "", Closer::Client));
    assert!(matches!(client.stream.next().await, Some(Ok(Frame::Close(None)))));
}

#[tokio::test]
async fn a_severed_connection_has_no_close_frame() {
    let mut client = Client::new(limits(DAY, None), Start::Hello(Duration::ZERO)).await;
    assert_eq!(client.text().await, "hello");
    client.send(Frame::binary(vec![1])).await;
    assert_eq!(client.end().await, end(None, "dropped by an injected fault", Closer::Server));
    assert!(client.stream.next().await.unwrap().is_err());
}

#[tokio::test]
async fn a_stalled_connection_says_nothing_until_it_is_told_to_end() {
    let mut client = Client::new(limits(Duration::from_millis(20), None), Start::Stall).await;
    client.send(Frame::text("hello?")).await;
    client.send(Frame::binary(vec![1])).await;
    client.orders.send("done".to_owned()).unwrap();
    assert_eq!(client.close().await, (4000, "done".to_owned()));
}
