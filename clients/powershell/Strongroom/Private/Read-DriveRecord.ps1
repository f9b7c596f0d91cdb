function Read-DriveRecord {
    <#
    .SYNOPSIS
    What was written down about each drive when it was made: drive_letter, bucket, is_read_only, service, log, made_at.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param()

    if (Test-Path -LiteralPath $script:DriveFolder) {
        foreach ($file in (Get-ChildItem -LiteralPath $script:DriveFolder -Filter '*.json')) {
            Get-Content -LiteralPath $file.FullName -Raw -Encoding UTF8 | ConvertFrom-Json
        }
    }
}
