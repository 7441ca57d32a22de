//! Who plays the schedules: threads, each with a stand-in for Microsoft of its own.

use std::{
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    invariants,
    plan::{Schedule, schedules},
    stage::Stage,
    world::World,
};

/// How many schedules are played side by side: more than there are cores, since some of them wait.
const PLAYERS: u64 = 8;
/// How many alerts are in a page of Microsoft's lists: a player's, by the remainder of its seeds.
const PAGE_SIZES: [usize; 4] = [1, 2, 3, 100];
/// How often a schedule that fails is tried to be made smaller.
const SHRINKING: usize = 100;
/// How long a schedule may take: far longer than any does. It decides nothing but that one without end is told.
const PATIENCE: Duration = Duration::from_mins(5);

/// Plays all schedules of these seeds, and says what is to be known of the first that failed.
pub(crate) fn play(seeds: Range<u64>) -> Option<String> {
    let failure = Mutex::new(None);
    let stop = AtomicBool::new(false);
    let played = AtomicU64::new(0);
    thread::scope(|scope| {
        for player in 0..PLAYERS.min(seeds.end - seeds.start) {
            let (failure, stop, played) = (&failure, &stop, &played);
            // By the seed itself, so that each has the same stage wherever it begins.
            let mine = seeds.clone().filter(move |seed| seed % PLAYERS == (seeds.start + player) % PLAYERS);
            scope.spawn(move || {
                let mut stage = None;
                for seed in mine {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let stage = stage.get_or_insert_with(|| Player::new(page_size(seed)));
                    let failed = stage.play(seed);
                    played.fetch_add(1, Ordering::Relaxed);
                    if let Some(failed) = failed {
                        stop.store(true, Ordering::Relaxed);
                        failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failed);
                    }
                }
            });
        }
    });
    let failure = failure.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    Some(format!("{failure}\n(after about {} schedules)", played.into_inner()))
}

fn page_size(seed: u64) -> usize {
    PAGE_SIZES[usize::try_from(seed).unwrap_or(0) % PAGE_SIZES.len()]
}

struct Player {
    runtime: Runtime,
    stage: Stage,
}

impl Player {
    fn new(page_size: usize) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let stage = runtime.block_on(Stage::new(page_size));
        Self { runtime, stage }
    }

    /// Plays the schedule of a seed. Where it fails, a smaller one that fails, too, is told.
    fn play(&self, seed: u64) -> Option<String> {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let mut tree = schedules().new_tree(&mut runner).unwrap();
        let whole = tree.current();
        let problems = self.problems(&whole)?;
        // Before it is made smaller, which takes its time.
        eprintln!("SCHEDULE_SEED={seed} breaks:\n{problems}");
        let mut smallest = (whole.clone(), problems.clone());
        let mut smaller = tree.simplify();
        for _ in 0..SHRINKING {
            if !smaller {
                break;
            }
            let schedule = tree.current();
            smaller = match self.problems(&schedule) {
                Some(problems) => {
                    smallest = (schedule, problems);
                    tree.simplify()
                }
                None => tree.complicate(),
            };
        }
        Some(format!(
            "SCHEDULE_SEED={seed} (pages of {}) breaks:\n{problems}\nthe whole schedule:\n{whole}\nthe smallest that was found:\n{}{}",
            page_size(seed),
            smallest.0,
            smallest.1
        ))
    }

    /// What does not hold after a schedule.
    fn problems(&self, schedule: &Schedule) -> Option<String> {
        let playing = async {
            let mut world = Box::pin(World::new(&self.stage, schedule)).await;
            if schedule.is_begun {
                Box::pin(world.begin()).await;
            }
            for step in &schedule.steps {
                Box::pin(world.play(step)).await;
            }
            Box::pin(world.settle()).await;
            Box::pin(invariants::broken(&mut world)).await
        };
        let playing = async { tokio::time::timeout(PATIENCE, playing).await };
        let problems = match catch_unwind(AssertUnwindSafe(|| self.runtime.block_on(playing))) {
            Ok(Ok(problems)) => problems,
            Ok(Err(_)) => vec!["(4) it does not end".to_owned()],
            Err(panic) => {
                let words = panic.downcast_ref::<String>().cloned();
                let words = words.or(panic.downcast_ref::<&str>().map(|words| (*words).to_owned()));
                vec![format!("a panic: {}", words.unwrap_or_default())]
            }
        };
        (!problems.is_empty()).then(|| problems.join("\n"))
    }
}
