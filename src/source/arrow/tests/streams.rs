//! How streams and files are framed, cut and corrupted.

use super::*;

#[test]
fn compressed_buffers_are_read() {
    for compression in [CompressionType::LZ4_FRAME, CompressionType::ZSTD] {
        let options = IpcWriteOptions::default()
            .try_with_compression(Some(compression))
            .unwrap();
        let batch = numbers(0..5_000);
        let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
        writer.write(&batch).unwrap();
        let all = read_stream(&writer.into_inner().unwrap(), "{}").unwrap();
        assert_eq!(all.entries.len(), 5_000);
    }
}

#[test]
fn small_reads_give_the_same_entries_as_one_big_read() {
    let dictionary: DictionaryArray<Int32Type> = vec!["a", "b", "a"].into_iter().collect();
    let batch = batch(vec![
        ("d", Arc::new(dictionary)),
        ("n", Arc::new(Int32Array::from(vec![1, 2, 3]))),
    ]);
    let stream = stream_of(&[batch.clone(), batch]);
    let whole = read_stream(&stream, "{}").unwrap();
    for sizes in [&[1][..], &[7, 1, 3], &[5]] {
        let config = ArrowConfig::default();
        let batches = StreamBatches::open("p.arrows", Dribble::new(&stream, sizes), &config).unwrap();
        let all = read_all(&mut ArrowReader::new("p.arrows", batches, &config, CAP).unwrap());
        assert_eq!(all.entries, whole.entries);
        assert!(all.error.is_none());
    }
}

#[test]
fn a_stream_without_its_end_mark_is_an_error_after_the_records_unless_allowed() {
    let mut stream = stream_of(&[numbers(0..3)]);
    stream.truncate(stream.len() - 8);
    let all = read_stream(&stream, "{}").unwrap();
    assert_eq!(all.texts().len(), 3);
    assert!(
        all.failure().contains("without the end mark"),
        "{}",
        all.failure()
    );
    assert!(all.error.unwrap().hint().unwrap().contains("allow_missing_eos"));
    let all = read_stream(&stream, r#"{"allow_missing_eos": true}"#).unwrap();
    assert!(all.error.is_none());
}

#[test]
fn a_stream_that_is_cut_is_an_error_at_every_length_and_never_a_panic() {
    let stream = stream_of(&[numbers(0..3), numbers(3..6)]);
    for length in 0..stream.len() {
        match read_stream(&stream[..length], "{}") {
            Err(_) => {}
            Ok(all) => assert!(all.error.is_some(), "{length}"),
        }
    }
}

#[test]
fn an_arrow_file_that_is_cut_has_no_footer() {
    let file = file_of(&[numbers(0..3)]);
    for length in [0, 5, 10, file.len() / 2, file.len() - 1] {
        let error = read_file(&file[..length]).unwrap_err();
        assert!(
            error.to_string().contains("ends in the middle of an Arrow file"),
            "{error}"
        );
    }
}

#[test]
fn bit_flips_are_errors_or_pass_but_never_panic() {
    let original = file_of(&[numbers(0..50)]);
    for position in 0..original.len() {
        let mut file = original.clone();
        file[position] ^= 0x55;
        if let Ok(all) = read_file(&file) {
            assert!(all.entries.len() <= 50 || all.error.is_some());
        }
    }
    let original = stream_of(&[numbers(0..50)]);
    for position in 0..original.len() {
        let mut stream = original.clone();
        stream[position] ^= 0x55;
        let _ = read_stream(&stream, "{}");
    }
}

#[test]
fn a_batch_beyond_the_cap_is_refused_before_it_is_held() {
    let options = r#"{"max_batch_bytes": "64KiB"}"#;
    let batches = [numbers(0..200_000)];
    let error = read_stream(&stream_of(&batches), options)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("`p.arrows`, batch 1: ") && error.ends_with("`arrow.max_batch_bytes`"),
        "{error}"
    );
    let file = FileBatches::open("p.arrow", Cursor::new(file_of(&batches)), &config(options));
    assert!(
        file.unwrap()
            .next_batch()
            .unwrap_err()
            .to_string()
            .ends_with("`arrow.max_batch_bytes`")
    );
}

#[test]
fn a_compressed_buffer_that_claims_too_much_is_refused_before_it_is_allocated() {
    let options = IpcWriteOptions::default()
        .try_with_compression(Some(CompressionType::ZSTD))
        .unwrap();
    let batch = numbers(0..5_000);
    let mut stream =
        StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options.clone()).unwrap();
    let mut file = FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    stream.write(&batch).unwrap();
    file.write(&batch).unwrap();
    let claim = |mut bytes: Vec<u8>| {
        let claimed = 20_000_u64.to_le_bytes();
        let at = bytes.windows(8).position(|window| window == claimed).unwrap();
        bytes[at + 6] = 0x7F;
        bytes
    };
    let error = read_stream(&claim(stream.into_inner().unwrap()), "{}")
        .unwrap_err()
        .to_string();
    assert!(error.ends_with("beyond `arrow.max_batch_bytes`"), "{error}");
    let error = read_file(&claim(file.into_inner().unwrap())).unwrap().failure();
    assert!(error.ends_with("beyond `arrow.max_batch_bytes`"), "{error}");
}

#[test]
fn streams_that_were_joined_are_an_error_and_never_cut_short_in_silence() {
    let stream = stream_of(&[numbers(0..3)]);
    let all = read_stream(&stream.repeat(2), "{}").unwrap();
    assert_eq!(all.texts().len(), 3);
    assert!(all.failure().contains("goes on behind the end mark"));
}

#[test]
fn batches_without_a_body_are_read_where_they_stand() {
    let nulls = batch(vec![("n", Arc::new(NullArray::new(2)))]);
    let all = read_stream(&stream_of(&[nulls.clone(), nulls]), "{}").unwrap();
    assert_eq!(all.texts(), [r#"{"n":null}"#; 4]);
}

#[test]
fn what_is_no_stream_is_told_by_its_first_bytes() {
    let said = |bytes: &[u8]| read_stream(bytes, "{}").unwrap_err().to_string();
    assert!(said(b"ARROW1\0\0").contains("file form"));
    assert!(said(b"FEA1....").contains("version 1"));
    assert!(said(b"name,email\n").contains("is not Arrow IPC"));
}

#[test]
fn an_empty_batch_and_a_stream_of_none_have_no_records() {
    assert!(
        read_stream(&stream_of(&[numbers([])]), "{}")
            .unwrap()
            .entries
            .is_empty()
    );
    let schema = Schema::new(vec![Field::new("a", DataType::Int8, true)]);
    let stream = StreamWriter::try_new(Vec::new(), &schema)
        .unwrap()
        .into_inner()
        .unwrap();
    assert!(read_stream(&stream, "{}").unwrap().entries.is_empty());
}
