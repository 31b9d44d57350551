//! How many records a second one core turns into tokens.
//!
//! `cargo bench -p identifier`. Records are synthetic: persons with two phones, e-mail, document, plate, address and birth date.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use identifier::{Column, Country, Defaults, Record, Rules, tokens};

fn rows(count: u64) -> Vec<Vec<(Column, String)>> {
    // A linear congruence is random enough for formats, and the same everywhere.
    let mut state = 1u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let surnames = ["DIALLO", "Ndiaye", "Touré", "Sow", "Jallow", "Traoré", "Camara", "Ould Ahmed"];
    let given = ["Aminata", "Moussa", "Fatou Binta", "Mamadou", "Ebrima", "Aïssatou", "Cheikh", "Mariama"];
    (0..count)
        .map(|row| {
            let (phone, other) = (next() % 10_000_000, next() % 10_000_000);
            vec![
                (Column::Record, format!("R{row}")),
                (Column::Subject, "person".into()),
                (Column::Category, "suspect".into()),
                (Column::Surname, surnames[(next() % 8) as usize].into()),
                (Column::GivenNames, given[(next() % 8) as usize].into()),
                (Column::BirthDate, format!("{:02}/{:02}/{}", next() % 28 + 1, next() % 12 + 1, 1960 + next() % 40)),
                (Column::Phone, format!("77 {phone:07}|+221-78-{other:07}")),
                (Column::Email, format!("Person.{}@Example.sn", next() % 1_000_000)),
                (Column::DocumentType, "Passeport".into()),
                (Column::DocumentCountry, "Sénégal".into()),
                (Column::DocumentNumber, format!("A {:08}", next() % 100_000_000)),
                (Column::Plate, format!("DK-{:04}-AB", next() % 10_000)),
                (Column::Address, format!("Villa {}, rue Félix Faure", next() % 300)),
                (Column::Place, "Dakar".into()),
            ]
        })
        .collect()
}

fn bench(criterion: &mut Criterion) {
    let defaults = Defaults { country: Country::read("SN"), ..Defaults::default() };
    let rules = Rules::default();
    let rows = rows(1000);
    let mut group = criterion.benchmark_group("tokens");
    group.throughput(Throughput::Elements(rows.len() as u64));
    group.bench_function("person, six identifiers and an address", |b| {
        b.iter(|| {
            for row in &rows {
                let cells: Vec<(Column, &str)> = row.iter().map(|(column, text)| (*column, text.as_str())).collect();
                black_box(tokens(&Record::from_cells(&cells, &defaults), &rules));
            }
        });
    });
    group.bench_function("name, birth date and phone", |b| {
        b.iter(|| {
            for row in &rows {
                let cells = [3, 4, 5, 6].map(|place| (row[place].0, row[place].1.as_str()));
                black_box(tokens(&Record::from_cells(&cells, &defaults), &rules));
            }
        });
    });
    group.bench_function("one phone", |b| {
        b.iter(|| {
            for row in &rows {
                let cells = [(Column::Phone, row[6].1.split('|').next().unwrap_or_default())];
                black_box(tokens(&Record::from_cells(&cells, &defaults), &rules));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
